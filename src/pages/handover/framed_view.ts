import { html } from '../../html/html.ts'
import { page } from '../../html/layout.ts'
import type { Catalogue } from '../../strings/catalogue.ts'
import type { EdgeRequest } from '../../wire/request.ts'

/** What a frame shows in place of a sign-in: a link that opens the same address in a tab of its own. */
export const framedPage = (words: Catalogue, { host, target }: Pick<EdgeRequest, 'host' | 'target'>): string => {
  const { title, lead, open } = words.sign_in.framed
  return page(
    words,
    title,
    host,
    html`<h1>${title}</h1>
<p class="lead">${lead}</p>
<a class="button" href="${target}" target="_blank" rel="noopener">${open}</a>`,
  )
}
