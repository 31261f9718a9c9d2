import type { Catalogue } from '../../strings/catalogue.ts'
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

export const setupPage = (
  words: Catalogue,
  { place, token, setupToken, username, email, problem }: SetupPage,
): string => {
  const { sign_in } = words
  return page(
    words,
    sign_in.setup.title,
    place,
    html`<h1>${sign_in.setup.title}</h1>
<p class="lead">${sign_in.setup.lead}</p>
${problem !== undefined && html`<p class="notice" role="alert" id="problem">${problem}</p>`}
<form method="post" action="/auth/setup">
<input type="hidden" name="form_token" value="${token}">
<input type="hidden" name="token" value="${setupToken}">
<label for="username">${sign_in.username}</label>
<input id="username" name="username" value="${username ?? ''}" autocomplete="username" autocapitalize="none" spellcheck="false" required maxlength="63" pattern="[a-zA-Z0-9][a-zA-Z0-9_\\-]*" aria-describedby="username-hint" autofocus>
<p class="hint" id="username-hint">${sign_in.username_hint}</p>
<label for="email">${sign_in.email}</label>
<input id="email" name="email" type="email" value="${email ?? ''}" autocomplete="email" required maxlength="254">
<label for="password">${sign_in.password}</label>
<input id="password" name="password" type="password" autocomplete="new-password" required maxlength="1024" aria-describedby="password-hint">
<p class="hint" id="password-hint">${sign_in.new_password_hint}</p>
<button>${sign_in.setup.button}</button>
</form>`,
  )
}
