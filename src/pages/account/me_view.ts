import type { Catalogue } from '../../strings/catalogue.ts'
import { html } from '../../html/html.ts'
import { page } from '../../html/layout.ts'

interface MePage {
  readonly place: string
  readonly user: string
  readonly display_name: string
  readonly email: string | null
  readonly claims: readonly string[]
}

interface SignOutPage {
  readonly place: string
  readonly token: string
  /** Whom services see in place of this administrator. */
  readonly impersonating: string | null
  /** The path to go to afterwards. */
  readonly next: string
  /** The service where the person asked to sign out, and how we name it in the form. */
  readonly service: { readonly host: string; readonly leaving: string } | undefined
}

/** Shows an administrator whom they impersonate, and the way back. */
export const impersonationBanner = ({ account }: Catalogue, user: string | null, token: string) =>
  user !== null &&
  html`<form class="banner" method="post" action="/auth/stop_impersonating">
<input type="hidden" name="form_token" value="${token}">
<p>${account.impersonating({ user })}</p>
<button class="quiet">${account.stop_impersonating}</button>
</form>`

/** Lists who a person is, and what they may do. */
export const whoList = (
  { account }: Catalogue,
  { user, email, claims }: Pick<MePage, 'user' | 'email' | 'claims'>,
) => html`<dl>
<dt>${account.username}</dt><dd>${user}</dd>
${email !== null && html`<dt>${account.email}</dt><dd>${email}</dd>`}
<dt>${account.claims}</dt><dd><ul class="claims">${claims.map((claim) => html`<li>${claim}</li>`)}</ul></dd>
</dl>`

/** Shows a person whom we know only by their network who they are. */
export const mePage = (words: Catalogue, known: MePage): string => {
  const { place, user, display_name } = known
  const { by_network } = words.account
  return page(
    words,
    by_network.title,
    place,
    html`<h1>${display_name || user}</h1>
<p class="lead">${by_network.lead}</p>
${whoList(words, known)}
<p><a href="/auth/login">${by_network.sign_in}</a></p>`,
  )
}

/** For links to /logout: the page asks for a button, because opening a link must not change anything. */
export const signOutPage = (
  words: Catalogue,
  { place, token, impersonating, next, service }: SignOutPage,
): string => {
  const { sign_out } = words.sign_in
  return page(
    words,
    sign_out.title,
    place,
    html`${impersonationBanner(words, impersonating, token)}<h1>${sign_out.heading}</h1>
<p class="lead">${service ? sign_out.lead_from({ host: service.host }) : sign_out.lead}</p>
<form method="post" action="/auth/logout">
<input type="hidden" name="form_token" value="${token}">
<input type="hidden" name="next" value="${next}">
${service && html`<input type="hidden" name="leaving" value="${service.leaving}">`}
<button name="scope" value="everywhere">${sign_out.everywhere}</button>
${service && html`<button class="quiet" name="scope" value="here">${sign_out.only_here({ host: service.host })}</button>`}
</form>`,
  )
}
