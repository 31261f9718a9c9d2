import type { Catalogue } from '../strings/catalogue.ts'
import { catalogueOf } from '../strings/language.ts'
import type { Recipient, Sent } from '../wire/client_response.ts'
import { wordsOf, type Told } from '../wire/refusal.ts'
import type { Asked } from '../wire/request.ts'
import { ownHeaders, problem, send, wantsPage } from '../wire/responses.ts'
import { noticePage } from './notice.ts'
import type { WordsFor } from './words_for.ts'

/** The headers of a page: which language it is in, and that another browser may get another one. */
export const pageHeaders = (asked: Pick<Asked, 'secure'>, { lang }: Catalogue): Record<string, string> => ({
  ...ownHeaders(asked),
  vary: 'Cookie, Accept-Language',
  'content-language': lang,
})

/** Answers with a page for people and problem details for programs. */
export type Tell = (sent: Sent, to: Recipient, asked: Asked, told: Told) => void

export const teller =
  (wordsFor: WordsFor): Tell =>
  (sent, to, asked, told) => {
    const { status } = told
    if (!wantsPage(sent))
      return send(to, status, 'application/problem+json', problem(told), {
        ...ownHeaders(asked),
        ...told.headers,
      })
    const show = (catalogue: Catalogue) => {
      const { title, text } = wordsOf(catalogue, told)
      const { href, name } = told.link ?? {}
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
        ...told.headers,
      })
    }
    const words = wordsFor(sent.rawHeaders)
    // The setting may be out of reach: then the page says so in English.
    if (words instanceof Promise) words.catch(() => catalogueOf('en')).then(show, () => to.destroy())
    else show(words)
  }
