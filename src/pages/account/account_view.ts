import { deviceOf } from './browser_name.ts'
import { html, type Html } from '../../html/html.ts'
import { page } from '../../html/layout.ts'
import { listOf } from '../openid/scopes_view.ts'
import { passkeyForm, passkeyTag } from '../sign_in/passkey_script.ts'
import { tokensSection, type KeptToken } from './tokens_view.ts'

/** What the methods tell about the person; every section shows one of them. */
export interface Account {
  readonly me: {
    readonly user: string
    readonly display_name: string
    readonly email: string | null
    readonly claims: readonly string[]
    readonly impersonating: string | null
  }
  readonly factors: {
    readonly totp: { readonly created_at: number } | null
    readonly passkeys: readonly {
      readonly id: string
      readonly name: string
      readonly synced: boolean
      readonly created_at: number
      readonly last_used_at: number | null
    }[]
    readonly recovery_codes: number
  }
  readonly sessions: readonly {
    readonly id: string
    readonly provider: string
    readonly address: string
    readonly user_agent: string
    readonly last_used_at: number
    readonly current: boolean
  }[]
  readonly identities: readonly {
    readonly id: string
    readonly provider: string
    readonly subject: string
    readonly login: string
    readonly last_used_at: number | null
  }[]
  /** Those that people can sign in with. */
  readonly providers: readonly { readonly provider: string; readonly title: string }[]
  /** The applications that were let in. */
  readonly consents: readonly {
    readonly client: string
    readonly name: string
    readonly scopes: readonly string[]
    readonly created_at: number
  }[]
  readonly tokens: readonly KeptToken[]
  /** What the browser is told to make a passkey; undefined where none is valid. */
  readonly creation: unknown
}

export interface AccountPage extends Account {
  readonly place: string
  readonly token: string
  readonly done?: string | undefined
  readonly problem?: string | undefined
}

const time = (seconds: number | null, otherwise = ''): Html => {
  if (seconds === null) return html`${otherwise}`
  const iso = new Date(seconds * 1000).toISOString()
  return html`<time datetime="${iso}">${iso.slice(0, 16).replace('T', ' ')} UTC</time>`
}

export const accountPage = (account: AccountPage): string => {
  const { me, factors, sessions, identities, providers, consents, creation, place, token, done, problem } = account
  const form = (action: string, fields: Html | false, button: string, quiet = true) =>
    html`<form method="post" action="/auth/account/${action}">
<input type="hidden" name="form_token" value="${token}">
${fields}
<button${quiet && html` class="quiet"`}>${button}</button>
</form>`
  const id = (value: string) => html`<input type="hidden" name="id" value="${value}">`
  const text = (name: string, label: string, attributes: Html) =>
    html`<label for="${name}">${label}</label>
<input id="${name}" name="${name.replace(/^.*-/, '')}" ${attributes} required>`
  // Password managers want to know whose password a form is about.
  const currentPassword = (of: string) =>
    html`<input type="text" value="${me.user}" autocomplete="username" hidden>
${text(`${of}-current_password`, 'Present password', html`type="password" autocomplete="current-password" maxlength="1024"`)}`

  /** What people know a provider by; a session can also be of a password, a link, a passkey. */
  const titleOf = (name: string) => providers.find(({ provider }) => provider === name)?.title ?? name.replace('_', ' ')

  return page(
    'Your account',
    place,
    html`${
      me.impersonating !== null &&
      html`<form class="banner" method="post" action="/auth/stop_impersonating">
<input type="hidden" name="form_token" value="${token}">
<p>Services see you as <strong>${me.impersonating}</strong>.</p>
<button class="quiet">Be yourself again</button>
</form>`
    }<h1>${me.display_name || me.user}</h1>
<p class="lead">You are signed in here.</p>
${problem !== undefined && html`<p class="notice" role="alert">${problem}</p>`}
${done !== undefined && html`<p class="done" role="status">${done}</p>`}
<dl>
<dt>Username</dt><dd>${me.user}</dd>
${me.email !== null && html`<dt>Email</dt><dd>${me.email}</dd>`}
<dt>Claims</dt><dd><ul class="claims">${me.claims.map((claim) => html`<li>${claim}</li>`)}</ul></dd>
</dl>
<form method="post" action="/auth/logout">
<input type="hidden" name="form_token" value="${token}">
<button class="quiet">Sign out</button>
</form>

<h2>Profile</h2>
<details><summary>Change your name</summary>
${form('profile', text('profile-display_name', 'Name', html`value="${me.display_name}" autocomplete="name" maxlength="200"`), 'Save the name')}
</details>
<details><summary>Change your email address</summary>
${form('email', html`${text('email-email', 'New address', html`type="email" autocomplete="email" maxlength="254"`)}${currentPassword('email')}`, 'Send a link to it')}
</details>
<details><summary>Change your password</summary>
${form('password', html`${currentPassword('password')}${text('password-password', 'New password', html`type="password" autocomplete="new-password" maxlength="1024" aria-describedby="password-hint"`)}<p class="hint" id="password-hint">You are signed out everywhere else.</p>`, 'Change the password')}
</details>

<h2>Second factors</h2>
${
  factors.totp === null
    ? html`<p>An authenticator app asks for a code beside your password.</p>${form('add_totp', false, 'Add an authenticator app')}`
    : html`<p>Authenticator app, since ${time(factors.totp.created_at)}.</p>${form('remove_totp', false, 'Remove the authenticator app')}`
}
${
  (factors.totp !== null || factors.passkeys.length > 0) &&
  html`<p>Recovery codes left: ${factors.recovery_codes}.</p>${form('renew_recovery_codes', false, 'Make new recovery codes')}`
}

<h2>Passkeys</h2>
${
  factors.passkeys.length === 0
    ? html`<p>A passkey signs you in without a password.</p>`
    : html`<ul class="rows">${factors.passkeys.map(
        (key) => html`<li><p><strong>${key.name}</strong>${key.synced && ' (synced)'}<br><span class="number">Added ${time(key.created_at)}, last used ${time(key.last_used_at, 'never')}</span></p>
<details><summary>Rename or remove</summary>
${form('rename_passkey', html`${id(key.id)}<label for="name-${key.id}">Name</label><input id="name-${key.id}" name="name" value="${key.name}" maxlength="60" required>`, 'Rename')}
${form('remove_passkey', id(key.id), 'Remove this passkey')}
</details></li>`,
      )}</ul>`
}
${
  creation !== undefined
    ? html`${passkeyForm({
        way: 'create',
        options: creation,
        action: '/auth/account/add_passkey',
        token,
        fields: html`<label for="passkey-name">Name of the new passkey</label>
<input id="passkey-name" name="name" value="Passkey" maxlength="60" required>`,
        button: 'Add a passkey',
      })}${passkeyTag}
<noscript><p class="hint">Passkeys take JavaScript.</p></noscript>`
    : html`<p class="hint">Passkeys are added at the main address of this installation.</p>`
}

<h2>Sessions</h2>
<ul class="rows">${sessions.map(
      (session) => html`<li><p><strong>${deviceOf(session.user_agent)}</strong>${session.current && ' (this one)'}<br>
<span class="number">${session.address !== '' && `${session.address}, `}by ${titleOf(session.provider)}, last used ${time(session.last_used_at)}</span></p>
${!session.current && form('revoke', id(session.id), 'End this session')}</li>`,
    )}</ul>
${sessions.length > 1 && form('revoke_all', false, 'End all other sessions')}

<h2>Applications</h2>
${
  consents.length === 0
    ? html`<p>None. Those that ask you whether you let them in stand here.</p>`
    : html`<ul class="rows">${consents.map(
        ({ client, name, scopes, created_at }) => html`<li><p><strong>${name}</strong> may ${listOf(scopes)}<br><span class="number">Since ${time(created_at)}</span></p>
${form('revoke_consent', html`<input type="hidden" name="client" value="${client}">`, 'Take it back')}</li>`,
      )}</ul>`
}

${tokensSection(account.tokens, { form, id, time })}

<h2>Linked identities</h2>
${
  identities.length === 0
    ? html`<p>None.${providers.length > 0 && ' Link an account that you have elsewhere, and you can sign in with it.'}</p>`
    : html`<ul class="rows">${identities.map(
        ({ provider, ...identity }) => html`<li><p><strong>${titleOf(provider)}</strong>: ${identity.login || identity.subject}<br>
<span class="number">Last used ${time(identity.last_used_at, 'never')}</span></p>
${form('unlink', id(identity.id), 'Unlink')}</li>`,
      )}</ul>`
}
<div class="links">${providers
      .filter(({ provider }) => !identities.some((one) => one.provider === provider))
      .map(
        ({ provider, title }) => html`<form method="post" action="/auth/link/begin">
<input type="hidden" name="form_token" value="${token}">
<input type="hidden" name="provider" value="${provider}">
<button class="quiet">Link ${title}</button>
</form>`,
      )}</div>`,
  )
}

interface TotpPage {
  readonly place: string
  readonly token: string
  readonly secret: string
  readonly uri: string
  /** The uri as a QR code, in SVG of our own making. */
  readonly picture: Html
  readonly problem?: string | undefined
}

export const totpPage = ({ place, token, secret, uri, picture, problem }: TotpPage): string =>
  page(
    'Add an authenticator app',
    place,
    html`<h1>Add an authenticator app</h1>
<p class="lead">Scan this with the app, then type the code that it shows.</p>
${problem !== undefined && html`<p class="notice" role="alert" id="problem">${problem}</p>`}
<div class="qr" role="img" aria-label="QR code of the seed below">${picture}</div>
<p class="hint">No camera? Type the seed: <code>${secret.replaceAll(/.{4}(?=.)/g, '$& ')}</code></p>
<form method="post" action="/auth/account/confirm_totp">
<input type="hidden" name="form_token" value="${token}">
<input type="hidden" name="secret" value="${secret}">
<input type="hidden" name="uri" value="${uri}">
<label for="code">Code</label>
<input id="code" name="code" inputmode="numeric" autocomplete="one-time-code" pattern="[0-9]{6}" required maxlength="6" autofocus>
<button>Take it into use</button>
</form>
<ul class="ways"><li><a href="/auth/me">Not now</a></li></ul>`,
  )

export const recoveryPage = (place: string, codes: readonly string[]): string =>
  page(
    'Recovery codes',
    place,
    html`<h1>Recovery codes</h1>
<p class="lead">Each signs you in once when you have nothing else. Print them or keep them in a safe place: they are not shown again.</p>
<ul class="codes">${codes.map((code) => html`<li><code>${code}</code></li>`)}</ul>
<a class="button" href="/auth/me">I have kept them</a>`,
  )
