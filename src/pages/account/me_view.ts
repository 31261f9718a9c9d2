import type { Catalogue } from '../../strings/catalogue.ts'
import { html } from '../../html/html.ts'
import { page } from '../../html/layout.ts'

interface MePage {
  readonly place: string
  readonly token: string
  /** The account page at the public URL. */
  readonly home: string
  /** False for a person whom we know only by their network. */
  readonly signedIn: boolean
  readonly user: string
  readonly display_name: string
  readonly email: string | null
  readonly claims: readonly string[]
  /** Whom services see in place of this administrator. */
  readonly impersonating: string | null
}

interface SignOutPage {
  readonly place: string
  readonly token: string
  /** Whom services see in place of this administrator. */
  readonly impersonating: string | null
  /** The path to go to afterwards. */
  readonly next: string
}

const signOutForm = ({ account }: Catalogue, token: string) => html`<form method="post" action="/auth/logout">
<input type="hidden" name="form_token" value="${token}">
<button class="quiet">${account.sign_out}</button>
</form>`

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

/** Shows who a person is at the host of a service, where they cannot change their account. */
export const mePage = (words: Catalogue, known: MePage): string => {
  const { place, token, home, signedIn, user, display_name, impersonating } = known
  const { signed_in, elsewhere } = words.account
  return page(
    words,
    signedIn ? elsewhere.signed_in_title : elsewhere.network_title,
    place,
    html`${impersonationBanner(words, impersonating, token)}<h1>${display_name || user}</h1>
<p class="lead">${signedIn ? signed_in : elsewhere.network}</p>
${whoList(words, known)}
${signedIn ? html`<ul class="ways"><li><a href="${home}">${elsewhere.your_account}</a></li></ul>${signOutForm(words, token)}` : html`<p><a href="/auth/login">${elsewhere.sign_in}</a></p>`}`,
  )
}

/** For links to /logout: the page asks for a button, because opening a link must not change anything. */
export const signOutPage = (words: Catalogue, { place, token, impersonating, next }: SignOutPage): string => {
  const { sign_out } = words.sign_in
  return page(
    words,
    sign_out.title,
    place,
    html`${impersonationBanner(words, impersonating, token)}<h1>${sign_out.heading}</h1>
<p class="lead">${sign_out.lead}</p>
<form method="post" action="/auth/logout">
<input type="hidden" name="form_token" value="${token}">
<input type="hidden" name="next" value="${next}">
<button>${sign_out.button}</button>
</form>`,
  )
}
