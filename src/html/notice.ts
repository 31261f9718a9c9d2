import type { Catalogue } from '../strings/catalogue.ts'
import { html } from './html.ts'
import { page } from './layout.ts'

interface NoticeLink {
  readonly href: string
  readonly text: string
}

interface NoticePage {
  readonly place: string
  readonly title: string
  readonly text: string
  /** The HTTP status and the request id in the log, which help when a person asks for support. */
  readonly status?: number
  readonly requestId?: string
  readonly link?: NoticeLink
  /** Links of less weight, below it. */
  readonly more?: readonly NoticeLink[]
}

/** A page with only a message: for errors, refusals and expired links. */
export const noticePage = (
  words: Catalogue,
  { place, title, text, status, requestId, link, more = [] }: NoticePage,
): string =>
  page(
    words,
    title,
    place,
    html`<h1>${title}</h1>
<p class="lead">${text}</p>
${link && html`<a class="button" href="${link.href}">${link.text}</a>`}
${more.map(({ href, text }) => html`<a class="button quiet" href="${href}">${text}</a>`)}
${status !== undefined && status >= 400 && html`<p class="number">${words.refusals.error_number({ status })}${requestId !== undefined && html` · <code>${requestId}</code>`}</p>`}`,
  )
