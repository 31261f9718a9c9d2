import { html } from '../../html/html.ts'
import { page } from '../../html/layout.ts'

interface LinkPage {
  readonly place: string
  readonly token: string
  /** What the provider is called. */
  readonly title: string
  /** What the account is called there. */
  readonly login: string
  readonly email: string | null
  /** Who is signed in here; undefined for nobody yet. */
  readonly user: string | undefined
  readonly problem?: string | undefined
}

/** Is this account of a provider yours? Nothing is linked before its person says so, signed in. */
export const linkPage = ({ place, token, title, login, email, user, problem }: LinkPage): string =>
  page(
    'Link an account',
    place,
    html`<h1>Link ${title} to your account?</h1>
${problem !== undefined && html`<p class="notice" role="alert">${problem}</p>`}
<p class="lead">${
      user === undefined
        ? html`There is an account here with the address <strong>${email ?? ''}</strong>, which ${title} has verified. Sign in to it as you did before, and say that both are yours.`
        : html`You are signed in here as <strong>${user}</strong>, and at ${title} as <strong>${login || (email ?? '')}</strong>${login !== '' && email !== null && html` (${email})`}.`
    }</p>
${user !== undefined && html`<p class="hint">Whoever can sign in to ${title} can then sign in here as you.</p>`}
${
  user === undefined
    ? html`<a class="button" href="/auth/login?return_to=/auth/link">Sign in</a>`
    : html`<form method="post" action="/auth/link">
<input type="hidden" name="form_token" value="${token}">
<button name="answer" value="link">Link them</button>
<button class="quiet" name="answer" value="no">Do not link</button>
</form>`
}`,
  )
