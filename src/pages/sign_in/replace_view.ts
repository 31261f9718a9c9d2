import { html } from '../../html/html.ts'
import { page } from '../../html/layout.ts'
import type { Catalogue } from '../../strings/catalogue.ts'

interface ReplacePage {
  readonly place: string
  readonly token: string
  /** Who is signed in in this browser. */
  readonly present: string
  /** Who has just proved who they are. */
  readonly next: string
  /** The new sign-in, sealed. */
  readonly opening: string
  readonly returnTo: string
}

/** Asks before one person's sign-in replaces that of another. */
export const replacePage = (words: Catalogue, { place, token, present, next, opening, returnTo }: ReplacePage): string => {
  const { title, lead, accept, refuse } = words.sign_in.replace
  return page(
    words,
    title,
    place,
    html`<h1>${title}</h1>
<p class="lead">${lead({ present, next })}</p>
<form method="post" action="/auth/replace">
<input type="hidden" name="form_token" value="${token}">
<input type="hidden" name="opening" value="${opening}">
<input type="hidden" name="return_to" value="${returnTo}">
<button class="quiet" name="answer" value="keep">${refuse({ present })}</button>
<button name="answer" value="replace">${accept({ next })}</button>
</form>`,
  )
}
