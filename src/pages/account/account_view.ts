import type { Catalogue } from '../../strings/catalogue.ts'
import { deviceOf } from './browser_name.ts'
import { html, type Html } from '../../html/html.ts'
import { page } from '../../html/layout.ts'
import { accountNavigation } from './navigation.ts'
import { impersonationBanner, whoList } from './me_view.ts'
import { passkeyForm, passkeyTag } from '../sign_in/passkey_script.ts'
import { meaningsOf } from '../openid/scopes_view.ts'
import { tokensSection, type KeptToken } from './tokens_view.ts'

/** What the methods return about the person; each section shows one of these answers. */
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
  /** The providers that people can sign in with. */
  readonly providers: readonly { readonly provider: string; readonly title: string }[]
  /** The applications that the person has allowed. */
  readonly consents: readonly {
    readonly client: string
    readonly name: string
    readonly scopes: readonly string[]
    readonly created_at: number
  }[]
  readonly tokens: readonly KeptToken[]
  /** The browser's options for a new passkey; undefined if none can be added here. */
  readonly creation: unknown
}

export interface AccountPage extends Account {
  readonly place: string
  readonly token: string
  readonly done?: string | undefined
  readonly problem?: string | undefined
}

// oxlint-disable-next-line max-lines-per-function -- a page reads best in one piece
export const accountPage = (words: Catalogue, account: AccountPage): string => {
  const { me, factors, sessions, identities, providers, consents, creation, place, token, done, problem } = account
  const own = words.account
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
  // Password managers need to know whose password the form is for.
  const currentPassword = (of: string) =>
    html`<input type="text" value="${me.user}" autocomplete="username" hidden>
${text(`${of}-current_password`, own.profile.current_password, html`type="password" autocomplete="current-password" maxlength="1024"`)}`

  /** Returns the title of a provider, or of another way to sign in, such as a password, a link or a passkey. */
  const titleOf = (name: string) =>
    providers.find(({ provider }) => provider === name)?.title ??
    (Object.hasOwn(own.sessions.ways, name) ? own.sessions.ways[name]! : name)

  return page(
    words,
    own.title,
    place,
    html`${accountNavigation(words, 'overview')}${impersonationBanner(words, me.impersonating, token)}<h1>${me.display_name || me.user}</h1>
<p class="lead">${own.signed_in}</p>
${problem !== undefined && html`<p class="notice" role="alert">${problem}</p>`}
${done !== undefined && html`<p class="done" role="status">${done}</p>`}
${whoList(words, me)}
<form method="post" action="/auth/logout">
<input type="hidden" name="form_token" value="${token}">
<button class="quiet">${own.sign_out}</button>
</form>

<h2>${own.profile.heading}</h2>
<details><summary>${own.profile.change_name}</summary>
${form('profile', text('profile-display_name', own.profile.name, html`value="${me.display_name}" autocomplete="name" maxlength="200"`), own.profile.save_name)}
</details>
<details><summary>${own.profile.change_email}</summary>
${form('email', html`${text('email-email', own.profile.new_email, html`type="email" autocomplete="email" maxlength="254"`)}${currentPassword('email')}`, own.profile.send_link)}
</details>
<details><summary>${own.profile.change_password}</summary>
${form('password', html`${currentPassword('password')}${text('password-password', own.profile.new_password, html`type="password" autocomplete="new-password" maxlength="1024" aria-describedby="password-hint"`)}<p class="hint" id="password-hint">${own.profile.password_hint}</p>`, own.profile.save_password)}
</details>

<h2>${own.factors.heading}</h2>
${
  factors.totp === null
    ? html`<p>${own.factors.about}</p>${form('add_totp', false, own.factors.add_app)}`
    : html`<p>${own.factors.app_added({ at: factors.totp.created_at })}</p>${form('remove_totp', false, own.factors.remove_app)}`
}
${
  (factors.totp !== null || factors.passkeys.length > 0) &&
  html`<p>${own.factors.codes_left({ count: factors.recovery_codes })}</p>${form('renew_recovery_codes', false, own.factors.new_codes)}`
}

<h2>${own.passkeys.heading}</h2>
${
  factors.passkeys.length === 0
    ? html`<p>${own.passkeys.about}</p>`
    : html`<ul class="rows">${factors.passkeys.map(
        (key) => html`<li><p><strong>${key.name}</strong>${key.synced && ` (${own.passkeys.synced})`}<br><span class="number">${own.passkeys.dates(key)}</span></p>
<details><summary>${own.passkeys.change}</summary>
${form('rename_passkey', html`${id(key.id)}<label for="name-${key.id}">${own.passkeys.name}</label><input id="name-${key.id}" name="name" value="${key.name}" maxlength="60" required>`, own.passkeys.rename)}
${form('remove_passkey', id(key.id), own.passkeys.remove)}
</details></li>`,
      )}</ul>`
}
${
  creation !== undefined
    ? html`${passkeyForm(words, {
        way: 'create',
        options: creation,
        action: '/auth/account/add_passkey',
        token,
        fields: html`<label for="passkey-name">${own.passkeys.new_name}</label>
<input id="passkey-name" name="name" value="${own.passkeys.first_name}" maxlength="60" required>`,
        button: own.passkeys.add,
      })}${passkeyTag}
<noscript><p class="hint">${own.passkeys.needs_script}</p></noscript>`
    : html`<p class="hint">${own.passkeys.elsewhere}</p>`
}

<h2>${own.sessions.heading}</h2>
<ul class="rows">${sessions.map(
      (session) => html`<li><p><strong>${deviceOf(words, session.user_agent)}</strong>${session.current && ` (${own.sessions.current})`}<br>
<span class="number">${own.sessions.details({ ...session, way: titleOf(session.provider) })}</span></p>
${!session.current && form('revoke', id(session.id), own.sessions.end)}</li>`,
    )}</ul>
${sessions.length > 1 && form('revoke_all', false, own.sessions.end_others)}

<h2>${own.applications.heading}</h2>
${
  consents.length === 0
    ? html`<p>${own.applications.none}</p>`
    : html`<ul class="rows">${consents.map(
        ({ client, name, scopes, created_at }) => html`<li><p>${own.applications.access({ name, may: meaningsOf(words, scopes) })}<br><span class="number">${own.applications.since({ at: created_at })}</span></p>
${form('revoke_consent', html`<input type="hidden" name="client" value="${client}">`, own.applications.revoke)}</li>`,
      )}</ul>`
}

${tokensSection(words, account.tokens, { form, id })}

<h2>${own.identities.heading}</h2>
${
  identities.length === 0
    ? html`<p>${own.identities.none}${providers.length > 0 && ` ${own.identities.offer}`}</p>`
    : html`<ul class="rows">${identities.map(
        ({ provider, ...identity }) => html`<li><p><strong>${titleOf(provider)}</strong>: ${identity.login || identity.subject}<br>
<span class="number">${own.identities.last_used(identity)}</span></p>
${form('unlink', id(identity.id), own.identities.unlink)}</li>`,
      )}</ul>`
}
<div class="links">${providers
      .filter(({ provider }) => !identities.some((identity) => identity.provider === provider))
      .map(
        ({ provider, title }) => html`<form method="post" action="/auth/link/begin">
<input type="hidden" name="form_token" value="${token}">
<input type="hidden" name="provider" value="${provider}">
<button class="quiet">${own.identities.link({ provider: title })}</button>
</form>`,
      )}</div>`,
  )
}

interface TotpPage {
  readonly place: string
  readonly token: string
  readonly secret: string
  readonly uri: string
  /** The URI as a QR code, in SVG that we render. */
  readonly picture: Html
  readonly problem?: string | undefined
}

export const totpPage = (
  words: Catalogue,
  { place, token, secret, uri, picture, problem }: TotpPage,
): string => {
  const { totp } = words.account
  return page(
    words,
    totp.title,
    place,
    html`<h1>${totp.title}</h1>
<p class="lead">${totp.lead}</p>
${problem !== undefined && html`<p class="notice" role="alert" id="problem">${problem}</p>`}
<div class="qr" role="img" aria-label="${totp.picture}">${picture}</div>
<p class="hint">${totp.by_hand({ key: secret.replaceAll(/.{4}(?=.)/g, '$& ') })}</p>
<form method="post" action="/auth/account/confirm_totp">
<input type="hidden" name="form_token" value="${token}">
<input type="hidden" name="secret" value="${secret}">
<input type="hidden" name="uri" value="${uri}">
<label for="code">${totp.code}</label>
<input id="code" name="code" inputmode="numeric" autocomplete="one-time-code" pattern="[0-9]{6}" required maxlength="6" autofocus>
<button>${totp.button}</button>
</form>
<ul class="ways"><li><a href="/auth/me">${totp.later}</a></li></ul>`,
  )
}

export const recoveryPage = (words: Catalogue, place: string, codes: readonly string[]): string => {
  const { recovery } = words.account
  return page(
    words,
    recovery.title,
    place,
    html`<h1>${recovery.title}</h1>
<p class="lead">${recovery.lead}</p>
<ul class="codes">${codes.map((code) => html`<li><code>${code}</code></li>`)}</ul>
<a class="button" href="/auth/me">${recovery.done}</a>`,
  )
}
