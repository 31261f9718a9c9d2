import type { Catalogue } from '../../strings/catalogue.ts'
import { html } from '../../html/html.ts'
import { page } from '../../html/layout.ts'
import { meaningsOf } from '../openid/scopes_view.ts'
import { keepActions } from './shown_once.ts'
import { accountForm, endLink } from './topic.ts'

/** A personal token, as `token.list` returns it. */
export interface KeptToken {
  readonly id: string
  readonly name: string
  readonly scope: string
  readonly expires_at: number
  readonly last_used_at: number | null
}

export const tokensSection = (words: Catalogue, formToken: string, tokens: readonly KeptToken[]) => {
  const { applications, tokens: own } = words.account
  const fields = html`<label for="token-name">${own.name}</label>
<input id="token-name" name="name" maxlength="100" required>
<label for="token-scope">${own.scope}</label>
<select id="token-scope" name="scope"><option value="read">${own.read}</option><option value="write">${own.write}</option><option value="admin">${own.admin}</option></select>
<label for="token-days">${own.days}</label>
<input id="token-days" name="days" type="number" inputmode="numeric" min="1" max="3650" value="90" required>`
  return {
    title: own.heading,
    content: html`${
      tokens.length === 0
        ? html`<p>${own.about}</p>`
        : html`<ul class="rows">${tokens.map(
            ({ id, name, scope, ...dates }) => html`<li><p>${applications.access({ name, may: meaningsOf(words, [scope]) })}<br>
<span class="number">${own.dates(dates)}</span></p>
${endLink('revoke_token', { id }, own.revoke)}</li>`,
          )}</ul>`
    }
<details><summary>${own.create}</summary>
${accountForm(formToken, 'make_token', fields, own.button)}
</details>`,
  }
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
${keepActions(words, { file: 'token.txt', text: `${token}\n`, copied: token })}
<a class="button" href="/auth/tokens">${tokens.copied}</a>`,
  )
}
