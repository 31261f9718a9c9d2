import type { Catalogue } from '../strings/catalogue.ts'
import { catalogueOf } from '../strings/language.ts'
import type { ClientResponse, ReceivedRequest } from '../wire/client_response.ts'
import { wordsOf, type Refusal } from '../wire/refusal.ts'
import { valuesOf } from '../wire/header_list.ts'
import { originOf, type EdgeRequest } from '../wire/request.ts'
import { ownHeaders, send, sendProblem, wantsPage } from '../wire/responses.ts'
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

const linksBelow = (sent: ReceivedRequest, asked: EdgeRequest, { more = [], back }: Refusal) =>
  back === undefined ? more : [...more, { href: cameFrom(sent, asked) ?? back, name: 'back' } as const]

/** The page of this host that the person came from. Pages of other hosts could lead anywhere. */
const cameFrom = ({ rawHeaders }: ReceivedRequest, asked: EdgeRequest): string | undefined => {
  const [referrer = '', ...others] = valuesOf(rawHeaders, 'referer')
  if (others.length > 0 || !URL.canParse(referrer)) return undefined
  const { origin, href } = new URL(referrer)
  return origin === originOf(asked) && href !== origin + asked.target ? href : undefined
}

export const refusalPages =
  (wordsFor: WordsFor): ShowRefusal =>
  (sent, to, asked, refusal) => {
    const { status } = refusal
    if (!wantsPage(sent)) return sendProblem(to, asked, refusal)
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
        more: linksBelow(sent, asked, refusal).map((link) => ({
          href: link.href,
          text: catalogue.refusals.links[link.name],
        })),
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
