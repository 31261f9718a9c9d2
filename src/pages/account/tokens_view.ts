import type { Catalogue } from '../../strings/catalogue.ts'
import { html, type Html } from '../../html/html.ts'
import { page } from '../../html/layout.ts'
import { meaningsOf } from '../openid/scopes_view.ts'

/** A personal token, as `token.list` returns it. */
export interface KeptToken {
  readonly id: string
  readonly name: string
  readonly scope: string
  readonly expires_at: number
  readonly last_used_at: number | null
}

interface Parts {
  readonly form: (action: string, fields: Html | false, button: string) => Html
  readonly id: (value: string) => Html
}

/** The section of the account page about personal tokens. */
export const tokensSection = (
  words: Catalogue,
  tokens: readonly KeptToken[],
  { form, id }: Parts,
): Html => {
  const { applications, tokens: own } = words.account
  return html`<h2>${own.heading}</h2>
${
  tokens.length === 0
    ? html`<p>${own.about}</p>`
    : html`<ul class="rows">${tokens.map(
        ({ id: token, name, scope, ...dates }) => html`<li><p>${applications.access({ name, may: meaningsOf(words, [scope]) })}<br>
<span class="number">${own.dates(dates)}</span></p>
${form('revoke_token', id(token), own.revoke)}</li>`,
      )}</ul>`
}
<details><summary>${own.create}</summary>
${form(
  'make_token',
  html`<label for="token-name">${own.name}</label>
<input id="token-name" name="name" maxlength="100" required>
<label for="token-scope">${own.scope}</label>
<select id="token-scope" name="scope"><option value="read">${own.read}</option><option value="write">${own.write}</option><option value="admin">${own.admin}</option></select>
<label for="token-days">${own.days}</label>
<input id="token-days" name="days" type="number" inputmode="numeric" min="1" max="3650" value="90" required>`,
  own.button,
)}
</details>`
}

export const tokenPage = (words: Catalogue, place: string, token: string): string => {
  const { tokens } = words.account
  return page(
    words,
    tokens.new_title,
    place,
    html`<h1>${tokens.new_title}</h1>
<p class="lead">${tokens.new_lead}</p>
<p class="done"><code>${token}</code></p>
<a class="button" href="/auth/me">${tokens.copied}</a>`,
  )
}
