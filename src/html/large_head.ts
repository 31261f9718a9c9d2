import { hash } from 'node:crypto'
import type { Catalogue } from '../strings/catalogue.ts'
import { catalogueOf } from '../strings/language.ts'
import { cookieNames } from '../wire/cookies.ts'
import { cookiesPath } from '../wire/request.ts'
import { valuesOf } from '../wire/header_list.ts'
import { wordsOf } from '../wire/refusal.ts'
import { send, sendProblem, wantsPage } from '../wire/responses.ts'
import { html, type Html } from './html.ts'
import { selfContainedPage, selfContainedStyle } from './self_contained.ts'
import { pageHeaders, type ShowRefusal } from './show_refusal.ts'
import type { WordsFor } from './words_for.ts'

/** A request for a style sheet would be too large as well. The form comes to this host only. */
const policy = `default-src 'none'; style-src 'sha256-${hash('sha256', selfContainedStyle, 'base64')}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`

const form = ({ refusals }: Catalogue, path: string, names: readonly string[]): Html => {
  const words = refusals.clear_cookies
  return html`<form method="post" action="${cookiesPath}">
<input type="hidden" name="path" value="${path}">
<input type="hidden" name="names" value="${[...new Set(names)].join(' ')}">
<p><button name="which" value="ours">${words.ours}</button> ${words.ours_hint}</p>
<p><button name="which" value="all">${words.all}</button> ${words.all_hint}</p>
</form>
`
}

/** Says that the head of a request is too large. If cookies made it so, the page offers to clear them. */
export const largeHeadPages =
  (wordsFor: WordsFor): ShowRefusal =>
  (sent, to, asked, refusal) => {
    if (!wantsPage(sent)) return sendProblem(to, asked, refusal)
    const names = cookieNames(valuesOf(sent.rawHeaders, 'cookie'))
    const show = (catalogue: Catalogue) => {
      const { title, text } = wordsOf(catalogue, refusal)
      const path = asked.method === 'GET' ? asked.target : '/'
      const body = selfContainedPage(catalogue, title, text, names.length > 0 && form(catalogue, path, names))
      send(to, refusal.status, 'text/html; charset=utf-8', body, {
        ...pageHeaders(asked, catalogue),
        'content-security-policy': policy,
        // The form shows by its Origin that it is ours; with no-referrer, browsers send `Origin: null`.
        'referrer-policy': 'same-origin',
      })
    }
    const words = wordsFor(sent.rawHeaders)
    // The language setting may be unavailable together with the database. The page is then in English.
    if (words instanceof Promise) words.catch(() => catalogueOf('en')).then(show, () => to.destroy())
    else show(words)
  }
