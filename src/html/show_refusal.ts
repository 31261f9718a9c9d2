import type { Catalogue } from '../strings/catalogue.ts'
import { catalogueOf } from '../strings/language.ts'
import type { ClientResponse, ReceivedRequest } from '../wire/client_response.ts'
import { wordsOf, type Refusal } from '../wire/refusal.ts'
import type { EdgeRequest } from '../wire/request.ts'
import { ownHeaders, problem, send, wantsPage } from '../wire/responses.ts'
import { noticePage } from './notice.ts'
import type { WordsFor } from './words_for.ts'

/** The headers of a page, with its language. Vary says that it depends on the browser. */
export const pageHeaders = (asked: Pick<EdgeRequest, 'secure'>, { lang }: Catalogue): Record<string, string> => ({
  ...ownHeaders(asked),
  vary: 'Cookie, Accept-Language',
  'content-language': lang,
})

/** Sends a refusal: a page to people, problem details to programs. */
export type ShowRefusal = (sent: ReceivedRequest, to: ClientResponse, asked: EdgeRequest, refusal: Refusal) => void

export const refusalPages =
  (wordsFor: WordsFor): ShowRefusal =>
  (sent, to, asked, refusal) => {
    const { status } = refusal
    if (!wantsPage(sent))
      return send(to, status, 'application/problem+json', problem(refusal), {
        ...ownHeaders(asked),
        ...refusal.headers,
      })
    const show = (catalogue: Catalogue) => {
      const { title, text } = wordsOf(catalogue, refusal)
      const { href, name } = refusal.link ?? {}
      const body = noticePage(catalogue, {
        place: asked.host,
        title,
        text,
        status,
        requestId: asked.requestId,
        ...(name && { link: { href: href!, text: catalogue.refusals.links[name] } }),
      })
      send(to, status, 'text/html; charset=utf-8', body, {
        ...pageHeaders(asked, catalogue),
        ...refusal.headers,
      })
    }
    const words = wordsFor(sent.rawHeaders)
    // The language setting may be unavailable together with the database. The page is then in English.
    if (words instanceof Promise) words.catch(() => catalogueOf('en')).then(show, () => to.destroy())
    else show(words)
  }
