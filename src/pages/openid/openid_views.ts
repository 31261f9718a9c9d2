import type { Catalogue } from '../../strings/catalogue.ts'
import type { ConsentRequest as Asked, ProofStep } from '../../oidc/step.ts'
import { html, type Html } from '../../html/html.ts'
import { page } from '../../html/layout.ts'
import { meaningOf } from './scopes_view.ts'

interface Asking {
  readonly place: string
  readonly token: string
  /** The name of the application. */
  readonly name: string
  readonly action: string
}

/** Warns about an application that registered itself: it can take any name, so only its host is reliable. */
const strange = ({ openid }: Catalogue, host: string): Html =>
  html`<p class="notice">${host === '' ? openid.consent.self_registered : openid.consent.self_described({ host })}</p>`

export const consentPage = (
  words: Catalogue,
  { place, token, name, action, host, stranger, scopes, user }: Asking & Asked & { readonly user: string },
): string => {
  const { consent } = words.openid
  return page(
    words,
    consent.title,
    place,
    html`<h1>${consent.heading({ name })}</h1>
<p class="lead">${consent.lead({ user, name, host })}</p>
<ul class="told">${scopes.map((scope) => html`<li>${meaningOf(words, scope)}</li>`)}</ul>
${stranger !== undefined && strange(words, stranger)}
<p class="hint">${consent.revocable}</p>
<form method="post" action="${action}">
<input type="hidden" name="form_token" value="${token}">
<button name="answer" value="allow">${consent.allow}</button>
<button class="quiet" name="answer" value="refuse">${consent.refuse}</button>
</form>`,
  )
}

export const switchPage = (
  words: Catalogue,
  { place, token, name, action, user }: Asking & { readonly user: string },
): string => {
  const own = words.openid.switch
  return page(
    words,
    own.title,
    place,
    html`<h1>${own.heading}</h1>
<p class="lead">${own.lead({ name, user })}</p>
<form method="post" action="${action}">
<input type="hidden" name="form_token" value="${token}">
<button name="answer" value="switch">${own.accept}</button>
<button class="quiet" name="answer" value="refuse">${own.refuse}</button>
</form>`,
  )
}

/** The application does not let this person in. Its button tells the application so. */
export const noAccessPage = (
  words: Catalogue,
  {
    place,
    token,
    name,
    action,
    user,
    host,
    ask,
  }: Asking & { readonly user: string; readonly host: string; readonly ask: string | undefined },
): string => {
  const { no_access: own } = words.openid
  return page(
    words,
    own.title,
    place,
    html`<h1>${own.title}</h1>
<p class="lead">${own.lead({ user, name })}</p>
<p>${own.password_right}</p>
${ask !== undefined && html`<a class="button" href="/auth/ask?token=${ask}">${words.refusals.links.ask}</a>`}
<form method="post" action="/auth/switch">
<input type="hidden" name="form_token" value="${token}">
<input type="hidden" name="return_to" value="${action}">
<button>${own.switch_account}</button>
</form>
<form method="post" action="${action}">
<input type="hidden" name="form_token" value="${token}">
<button class="quiet" name="answer" value="refuse">${own.back({ host })}</button>
</form>`,
  )
}

/** Instead of the proof that a request asks for: the way on without it, or back to the application. */
export const insteadPage = (
  words: Catalogue,
  { place, token, name, action, optional }: Asking & Pick<ProofStep, 'optional'>,
): string => {
  const { instead: own } = words.openid
  return page(
    words,
    own.title,
    place,
    html`<h1>${own.title}</h1>
<p class="lead">${optional ? own.optional({ name }) : own.needed({ name })}</p>
<a class="button" href="${action}">${own.prove}</a>
<form method="post" action="${action}">
<input type="hidden" name="form_token" value="${token}">
<button class="quiet" name="answer" value="decline">${optional ? own.without : own.back}</button>
</form>`,
  )
}

/** Asks which account to use (`prompt=select_account`). */
export const chooseAccountPage = (
  words: Catalogue,
  { place, token, name, action, user }: Asking & { readonly user: string },
): string => {
  const own = words.openid.choose_account
  return page(
    words,
    own.title,
    place,
    html`<h1>${own.heading}</h1>
<p class="lead">${own.lead({ name })}</p>
<form method="post" action="${action}">
<input type="hidden" name="form_token" value="${token}">
<button name="answer" value="stay">${own.stay({ user })}</button>
<button class="quiet" name="answer" value="switch">${own.another}</button>
</form>`,
  )
}

/**
 * A page that goes on by itself: the CSP (form-action) forbids a redirect from a form to another site, but not this. Before, it loads
 * `pictures` for a second.
 */
export const continuePage = (
  words: Catalogue,
  place: string,
  to: string,
  title: 'signing_in' | 'signing_out' = 'signing_in',
  pictures: readonly string[] = [],
): string => {
  const { leaving } = words.sign_in
  return page(
    words,
    leaving[title],
    place,
    html`<h1>${leaving[title]}</h1>
<p class="lead"><a href="${to}">${leaving.continue}</a></p>
${pictures.map((address) => html`<img src="${address}" alt="" width="1" height="1">`)}`,
    html`<meta http-equiv="refresh" content="${pictures.length === 0 ? '0' : '1'}; url=${to}">`,
  )
}

export const endSessionPage = (
  words: Catalogue,
  place: string,
  xsrf: string,
  name: string | undefined,
): string => {
  const own = words.openid.end_session
  return page(
    words,
    own.title,
    place,
    html`<h1>${own.heading}</h1>
<p class="lead">${name === undefined ? own.lead : own.lead_for({ name })}</p>
<form method="post" action="/oauth/logout/confirm">
<input type="hidden" name="xsrf" value="${xsrf}">
<button name="logout" value="yes">${own.accept}</button>
<button class="quiet">${own.refuse}</button>
</form>`,
  )
}

export const signedOutPage = (words: Catalogue, place: string): string => {
  const { signed_out } = words.openid
  return page(
    words,
    signed_out.title,
    place,
    html`<h1>${signed_out.title}</h1>
<p class="lead"><a href="/auth/login">${signed_out.again}</a></p>`,
  )
}

export const devicePage = (
  words: Catalogue,
  place: string,
  xsrf: string,
  problem: string | undefined,
  code: string,
): string => {
  const { device } = words.openid
  return page(
    words,
    device.title,
    place,
    html`<h1>${device.title}</h1>
<p class="lead">${device.lead}</p>
${problem !== undefined && html`<p class="notice" role="alert" id="problem">${problem}</p>`}
<form method="post" action="/device">
<input type="hidden" name="xsrf" value="${xsrf}">
<label for="user_code">${device.code}</label>
<input id="user_code" name="user_code" value="${code}" autocomplete="off" autocapitalize="characters" spellcheck="false" maxlength="20" required autofocus${problem !== undefined && html` aria-describedby="problem"`}>
<button>${device.button}</button>
</form>`,
  )
}

export const deviceConfirmPage = (
  words: Catalogue,
  place: string,
  xsrf: string,
  { code, ...asked }: { name: string; code: string; address: string; user: string },
): string => {
  const { device } = words.openid
  return page(
    words,
    device.title,
    place,
    html`<h1>${device.confirm_heading}</h1>
<p class="lead">${device.confirm_lead(asked)}</p>
<p class="compare"><code>${code}</code></p>
<p class="hint">${device.warning}</p>
<form method="post" action="/device">
<input type="hidden" name="xsrf" value="${xsrf}">
<input type="hidden" name="user_code" value="${code}">
<button name="confirm" value="yes">${device.mine}</button>
<button class="quiet" name="abort" value="yes">${device.not_mine}</button>
</form>`,
  )
}

export const deviceDonePage = (words: Catalogue, place: string, name: string): string => {
  const { device } = words.openid
  return page(
    words,
    device.done_title,
    place,
    html`<h1>${device.done_title}</h1>
<p class="lead">${device.done({ name })}</p>`,
  )
}
