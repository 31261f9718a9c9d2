import { html } from './html.ts'
import { page } from './page.ts'

interface MePage {
  readonly place: string
  readonly token: string
  readonly user: string
  readonly display_name: string
  readonly email: string | null
  readonly claims: readonly string[]
}

export const mePage = ({ place, token, user, display_name, email, claims }: MePage): string =>
  page(
    'Signed in',
    place,
    html`<h1>${display_name || user}</h1>
<p class="lead">You are signed in here.</p>
<dl>
<dt>Username</dt><dd>${user}</dd>
${email !== null && html`<dt>Email</dt><dd>${email}</dd>`}
<dt>Claims</dt><dd><ul class="claims">${claims.map((claim) => html`<li>${claim}</li>`)}</ul></dd>
</dl>
<form method="post" action="/auth/logout">
<input type="hidden" name="form_token" value="${token}">
<button class="quiet">Sign out</button>
</form>`,
  )

/** For links to /logout: leaving takes a button, because opening a link must change nothing. */
export const signOutPage = ({ place, token }: Pick<MePage, 'place' | 'token'>): string =>
  page(
    'Sign out',
    place,
    html`<h1>Sign out?</h1>
<p class="lead">Your other devices stay signed in.</p>
<form method="post" action="/auth/logout">
<input type="hidden" name="form_token" value="${token}">
<button>Sign out</button>
</form>`,
  )
