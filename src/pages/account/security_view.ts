import { html, type Html } from '../../html/html.ts'
import { page } from '../../html/layout.ts'
import type { Catalogue } from '../../strings/catalogue.ts'
import { keepActions } from './shown_once.ts'
import { accountForm, currentPassword, endLink, input } from './topic.ts'

/** An account at a provider that the person signs in with. */
export interface Identity {
  readonly id: string
  readonly provider: string
  readonly subject: string
  readonly login: string
  readonly last_used_at: number | null
}

/** The providers that people can sign in with. */
type Providers = readonly { readonly provider: string; readonly title: string }[]

export interface Security {
  readonly user: string
  readonly factors: {
    readonly totp: { readonly created_at: number } | null
    readonly passkeys: readonly object[]
    readonly recovery_codes: number
  }
  readonly identities: readonly Identity[]
  readonly providers: Providers
}

/** The title of a provider, or of another way to sign in, such as a password, a link or a passkey. */
export const titleOfWay = ({ account }: Catalogue, providers: Providers, name: string): string =>
  providers.find(({ provider }) => provider === name)?.title ??
  (Object.hasOwn(account.sessions.ways, name) ? account.sessions.ways[name]! : name)

const passwordPart = (words: Catalogue, token: string, user: string): Html => {
  const { profile } = words.account
  const chosen = input(
    'password-password',
    profile.new_password,
    html`type="password" autocomplete="new-password" maxlength="1024" aria-describedby="password-hint"`,
  )
  const content = html`${currentPassword(words, user, 'password')}${chosen}<p class="hint" id="password-hint">${profile.password_hint}</p>`
  return html`<details><summary>${profile.change_password}</summary>
${accountForm(token, 'password', content, profile.save_password)}
</details>`
}

const factorsPart = (words: Catalogue, token: string, { totp, passkeys, recovery_codes }: Security['factors']) => {
  const { factors } = words.account
  return html`<h2>${factors.heading}</h2>
${
  totp === null
    ? html`<p>${factors.about}</p>${accountForm(token, 'add_totp', false, factors.add_app)}`
    : html`<p>${factors.app_added({ at: totp.created_at })}</p>${endLink('remove_totp', {}, factors.remove_app)}`
}
${
  (totp !== null || passkeys.length > 0) &&
  html`<p class="next">${factors.codes_left({ count: recovery_codes })}</p>${endLink('renew_recovery_codes', {}, factors.new_codes)}`
}`
}

const identitiesPart = (words: Catalogue, token: string, { identities, providers }: Security) => {
  const own = words.account.identities
  const more = providers.filter(({ provider }) => !identities.some((identity) => identity.provider === provider))
  return html`<h2>${own.heading}</h2>
${
  identities.length === 0
    ? html`<p>${own.none}${providers.length > 0 && ` ${own.offer}`}</p>`
    : html`<ul class="rows">${identities.map(
        ({ provider, ...identity }) => html`<li><p><strong>${titleOfWay(words, providers, provider)}</strong>: ${identity.login || identity.subject}<br>
<span class="number">${own.last_used(identity)}</span></p>
${endLink('unlink', { id: identity.id }, own.unlink)}</li>`,
      )}</ul>`
}
<div class="links">${more.map(
    ({ provider, title }) => html`<form method="post" action="/auth/link/begin">
<input type="hidden" name="form_token" value="${token}">
<input type="hidden" name="provider" value="${provider}">
<button class="quiet">${own.link({ provider: title })}</button>
</form>`,
  )}</div>`
}

export const securitySection = (words: Catalogue, token: string, security: Security) => ({
  title: words.services.pages.security,
  content: html`${passwordPart(words, token, security.user)}
${factorsPart(words, token, security.factors)}
${identitiesPart(words, token, security)}`,
})

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
<ul class="ways"><li><a href="/auth/security">${totp.later}</a></li></ul>`,
  )
}

export const recoveryPage = (
  words: Catalogue,
  place: string,
  codes: readonly string[],
  back: string,
): string => {
  const { recovery } = words.account
  const text = [`${recovery.title}: ${place}`, '', ...codes, ''].join('\n')
  return page(
    words,
    recovery.title,
    place,
    html`<h1>${recovery.title}</h1>
<p class="lead">${recovery.lead}</p>
<ul class="codes">${codes.map((code) => html`<li><code>${code}</code></li>`)}</ul>
${keepActions(words, { file: 'recovery-codes.txt', text, copied: codes.join('\n') })}
<a class="button" href="${back}">${recovery.done}</a>`,
  )
}
