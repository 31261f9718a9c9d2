import { html } from '../../html/html.ts'
import { page } from '../../html/layout.ts'

interface MePage {
  readonly place: string
  readonly token: string
  /** Where the account is kept. */
  readonly home: string
  /** Or only known by the network. */
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
  /** Where it leads. */
  readonly next: string
}

const signOutForm = (token: string) => html`<form method="post" action="/auth/logout">
<input type="hidden" name="form_token" value="${token}">
<button class="quiet">Sign out</button>
</form>`

const banner = (user: string | null, token: string) =>
  user !== null &&
  html`<form class="banner" method="post" action="/auth/stop_impersonating">
<input type="hidden" name="form_token" value="${token}">
<p>Services see you as <strong>${user}</strong>.</p>
<button class="quiet">Be yourself again</button>
</form>`

/** Who somebody is at the host of a service, where nothing of the account can be changed. */
export const mePage = (known: MePage): string => {
  const { place, token, home, signedIn, user, display_name, email, claims, impersonating } = known
  return page(
    signedIn ? 'Signed in' : 'Known here',
    place,
    html`${banner(impersonating, token)}<h1>${display_name || user}</h1>
<p class="lead">${signedIn ? 'You are signed in here.' : 'Your network is known here. You are not signed in.'}</p>
<dl>
<dt>Username</dt><dd>${user}</dd>
${email !== null && html`<dt>Email</dt><dd>${email}</dd>`}
<dt>Claims</dt><dd><ul class="claims">${claims.map((claim) => html`<li>${claim}</li>`)}</ul></dd>
</dl>
${signedIn ? html`<ul class="ways"><li><a href="${home}">Your account</a></li></ul>${signOutForm(token)}` : html`<p><a href="/auth/login">Sign in</a></p>`}`,
  )
}

/** For links to /logout: leaving takes a button, because opening a link must change nothing. */
export const signOutPage = ({ place, token, impersonating, next }: SignOutPage): string =>
  page(
    'Sign out',
    place,
    html`${banner(impersonating, token)}<h1>Sign out?</h1>
<p class="lead">Your other devices stay signed in.</p>
<form method="post" action="/auth/logout">
<input type="hidden" name="form_token" value="${token}">
<input type="hidden" name="next" value="${next}">
<button>Sign out</button>
</form>`,
  )
