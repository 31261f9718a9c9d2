import { hash } from 'node:crypto'
import type { Catalogue } from '../strings/catalogue.ts'
import { catalogueOf } from '../strings/language.ts'
import { isLocalClient } from '../wire/client_address.ts'
import { wordsOf } from '../wire/refusal.ts'
import { send, sendProblem, wantsPage } from '../wire/responses.ts'
import { html, Html } from './html.ts'
import { pageHeaders, type ShowRefusal } from './show_refusal.ts'
import type { WordsFor } from './words_for.ts'

export const selfContainedStyle = `:root { color-scheme: light dark; }
body { margin: 0; padding: 15vh 1.25rem 2rem; font: 1rem/1.5 system-ui, sans-serif; background: #f6f5f2; color: #1d2329; }
main { max-width: 30rem; margin: 0 auto; overflow-wrap: anywhere; }
h1 { margin: 0 0 0.5rem; font-size: 1.5rem; line-height: 1.25; }
a { color: #1f5f99; }
@media (prefers-color-scheme: dark) { body { background: #14171a; color: #e8eaed; } a { color: #8cc0ee; } }`

/** Allows exactly this style, and nothing that is loaded. */
const policy = `default-src 'none'; style-src 'sha256-${hash('sha256', selfContainedStyle, 'base64')}'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'`

/** A page that loads nothing; `more` follows its text. */
export const selfContainedPage = (
  { lang, dir }: Pick<Catalogue, 'lang' | 'dir'>,
  title: string,
  text: string,
  more: Html | false,
): string =>
  html`<!doctype html>
<html lang="${lang}" dir="${dir}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${title}</title>
<style>${new Html(selfContainedStyle)}</style>
</head>
<body>
<main>
<h1>${title}</h1>
<p>${text}</p>
${more}</main>
</body>
</html>
`.text

/**
 * Sends refusals at hosts where nothing else of ours can be loaded: pages that need nothing, and problem details to programs. Only
 * a local client also reads where home is: to strangers, an address that nobody uses says nothing about who lives here.
 */
export const selfContainedPages =
  (wordsFor: WordsFor, home: string): ShowRefusal =>
  (sent, to, asked, refusal) => {
    const { status } = refusal
    if (!wantsPage(sent)) return sendProblem(to, asked, refusal)
    const show = (catalogue: Catalogue) => {
      const { title, text } = wordsOf(catalogue, refusal)
      const link =
        isLocalClient(sent) && html`<p>${catalogue.refusals.home_is} <a href="${home}">${home}</a></p>\n`
      send(to, status, 'text/html; charset=utf-8', selfContainedPage(catalogue, title, text, link), {
        ...pageHeaders(asked, catalogue),
        'content-security-policy': policy,
        ...refusal.headers,
      })
    }
    const words = wordsFor(sent.rawHeaders)
    // The language setting may be unavailable together with the database. The page is then in English.
    if (words instanceof Promise) words.catch(() => catalogueOf('en')).then(show, () => to.destroy())
    else show(words)
  }
