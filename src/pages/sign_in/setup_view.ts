import { html } from '../../html/html.ts'
import { page } from '../../html/layout.ts'

interface SetupPage {
  readonly place: string
  readonly token: string
  readonly setupToken: string
  readonly username?: string
  readonly email?: string
  readonly problem?: string
}

export const setupPage = ({ place, token, setupToken, username, email, problem }: SetupPage): string =>
  page(
    'First administrator',
    place,
    html`<h1>First administrator</h1>
<p class="lead">This account may do everything here. The link you came by works once.</p>
${problem !== undefined && html`<p class="notice" role="alert" id="problem">${problem}</p>`}
<form method="post" action="/auth/setup">
<input type="hidden" name="form_token" value="${token}">
<input type="hidden" name="token" value="${setupToken}">
<label for="username">Username</label>
<input id="username" name="username" value="${username ?? ''}" autocomplete="username" autocapitalize="none" spellcheck="false" required maxlength="63" pattern="[a-zA-Z0-9][a-zA-Z0-9_\\-]*" aria-describedby="username-hint" autofocus>
<p class="hint" id="username-hint">Letters, digits, “_” and “-”. It cannot be changed later.</p>
<label for="email">Email</label>
<input id="email" name="email" type="email" value="${email ?? ''}" autocomplete="email" required maxlength="254">
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="new-password" required maxlength="1024" aria-describedby="password-hint">
<p class="hint" id="password-hint">Several unrelated words are easy to remember and hard to guess.</p>
<button>Create account</button>
</form>`,
  )
