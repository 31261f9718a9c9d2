import { html, type Html } from '../../html/html.ts'
import { page } from '../../html/layout.ts'
import { listOf } from '../openid/scopes_view.ts'

/** A token that somebody keeps in a program, as `token.list` tells. */
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
  readonly time: (seconds: number | null, otherwise?: string) => Html
}

/** The part of the account page about them. */
export const tokensSection = (tokens: readonly KeptToken[], { form, id, time }: Parts): Html => html`<h2>Tokens for programs</h2>
${
  tokens.length === 0
    ? html`<p>A token lets a script of yours in without your password.</p>`
    : html`<ul class="rows">${tokens.map(
        ({ id: token, name, scope, expires_at, last_used_at }) => html`<li><p><strong>${name}</strong> may ${listOf([scope])}<br>
<span class="number">Last used ${time(last_used_at, 'never')}, ends ${time(expires_at)}</span></p>
${form('revoke_token', id(token), 'Take it back')}</li>`,
      )}</ul>`
}
<details><summary>Make a token</summary>
${form(
  'make_token',
  html`<label for="token-name">What it is for</label>
<input id="token-name" name="name" maxlength="100" required>
<label for="token-scope">What it may do</label>
<select id="token-scope" name="scope"><option value="read">read</option><option value="write">read and change</option><option value="admin">administer too, as far as you may</option></select>
<label for="token-days">Days until it ends</label>
<input id="token-days" name="days" type="number" inputmode="numeric" min="1" max="3650" value="90" required>`,
  'Make it',
)}
</details>`

export const tokenPage = (place: string, token: string): string =>
  page(
    'Your new token',
    place,
    html`<h1>Your new token</h1>
<p class="lead">Copy it now: it is not shown again. Programs send it in the header <code>Authorization: Bearer …</code></p>
<p class="done"><code>${token}</code></p>
<a class="button" href="/auth/me">I have copied it</a>`,
  )
