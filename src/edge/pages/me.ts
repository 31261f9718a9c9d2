import { html } from './html.ts'
import { page } from './page.ts'

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
}

const banner = (user: string | null, token: string) =>
  user !== null &&
  html`<form class="banner" method="post" action="/auth/stop_impersonating">
<input type="hidden" name="form_token" value="${token}">
<p>Services see you as <strong>${user}</strong>.</p>
<button class="quiet">Be yourself again</button>
</form>`

/** For somebody who is known by the network, and not signed in. */
export const mePage = ({ place, user, display_name, email, claims }: MePage): string =>
  page(
    'Known here',
    place,
    html`<h1>${display_name || user}</h1>
<p class="lead">Your network is known here. You are not signed in.</p>
<dl>
<dt>Username</dt><dd>${user}</dd>
${email !== null && html`<dt>Email</dt><dd>${email}</dd>`}
<dt>Claims</dt><dd><ul class="claims">${claims.map((claim) => html`<li>${claim}</li>`)}</ul></dd>
</dl>
<p><a href="/auth/login">Sign in</a></p>`,
  )

/** For links to /logout: leaving takes a button, because opening a link must change nothing. */
export const signOutPage = ({ place, token, impersonating }: SignOutPage): string =>
  page(
    'Sign out',
    place,
    html`${banner(impersonating, token)}<h1>Sign out?</h1>
<p class="lead">Your other devices stay signed in.</p>
<form method="post" action="/auth/logout">
<input type="hidden" name="form_token" value="${token}">
<button>Sign out</button>
</form>`,
  )
