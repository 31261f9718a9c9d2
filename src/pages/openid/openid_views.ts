import type { Asking as Asked } from '../../oidc/interactions.ts'
import { html, type Html } from '../../html/html.ts'
import { page } from '../../html/layout.ts'
import { meaningOf } from './scopes_view.ts'

interface Asking {
  readonly place: string
  readonly token: string
  /** What the application is called. */
  readonly name: string
  readonly action: string
}

/** Whoever names itself can take any name: what can be relied on is where it lives. */
const strange = (host: string): Html =>
  host === ''
    ? html`<p class="notice">It registered itself: nobody here has checked that it is what it is called.</p>`
    : html`<p class="notice">It says of itself at <strong>${host}</strong> what it is; nobody here has checked it.</p>`

export const consentPage = ({
  place,
  token,
  name,
  action,
  host,
  stranger,
  scopes,
  user,
}: Asking & Asked & { readonly user: string }): string =>
  page(
    'Allow access',
    place,
    html`<h1>Let ${name} in?</h1>
<p class="lead">You are signed in as <strong>${user}</strong>. <strong>${name}</strong>${host !== '' && html` at <strong>${host}</strong>`} would like to:</p>
<ul class="told">${scopes.map((scope) => html`<li>${meaningOf(scope)}</li>`)}</ul>
${stranger !== undefined && strange(stranger)}
<p class="hint">You can take this back on your account page.</p>
<form method="post" action="${action}">
<input type="hidden" name="form_token" value="${token}">
<button name="answer" value="allow">Allow</button>
<button class="quiet" name="answer" value="refuse">Do not allow</button>
</form>`,
  )

export const switchPage = ({ place, token, name, action, user }: Asking & { readonly user: string }): string =>
  page(
    'Somebody else',
    place,
    html`<h1>Somebody else is expected</h1>
<p class="lead"><strong>${name}</strong> asks for another person than <strong>${user}</strong>, who is signed in here.</p>
<form method="post" action="${action}">
<input type="hidden" name="form_token" value="${token}">
<button name="answer" value="switch">Sign in as somebody else</button>
<button class="quiet" name="answer" value="refuse">Cancel</button>
</form>`,
  )

/** Goes on by itself: browsers let no answer to a form lead to another site, and this is an answer to none. */
export const onwardPage = (place: string, to: string, title = 'Signing you in'): string =>
  page(
    title,
    place,
    html`<h1>${title}</h1>
<p class="lead"><a href="${to}">Go on</a> if nothing happens.</p>`,
    html`<meta http-equiv="refresh" content="0; url=${to}">`,
  )

export const endSessionPage = (place: string, xsrf: string, name: string | undefined): string =>
  page(
    'Sign out',
    place,
    html`<h1>Sign out?</h1>
<p class="lead">${name === undefined ? 'You' : html`<strong>${name}</strong> asks for it. You`} will be signed out here and wherever you went from here.</p>
<form method="post" action="/oauth/logout/confirm">
<input type="hidden" name="xsrf" value="${xsrf}">
<button name="logout" value="yes">Sign out</button>
<button class="quiet">Stay signed in</button>
</form>`,
  )

export const signedOutPage = (place: string): string =>
  page(
    'Signed out',
    place,
    html`<h1>Signed out</h1>
<p class="lead"><a href="/auth/login">Sign in again</a></p>`,
  )

export const devicePage = (place: string, xsrf: string, problem: string | undefined, code: string): string =>
  page(
    'Sign in a device',
    place,
    html`<h1>Sign in a device</h1>
<p class="lead">Type the code that the device shows.</p>
${problem !== undefined && html`<p class="notice" role="alert" id="problem">${problem}</p>`}
<form method="post" action="/device">
<input type="hidden" name="xsrf" value="${xsrf}">
<label for="user_code">Code</label>
<input id="user_code" name="user_code" value="${code}" autocomplete="off" autocapitalize="characters" spellcheck="false" maxlength="20" required autofocus${problem !== undefined && html` aria-describedby="problem"`}>
<button>Go on</button>
</form>`,
  )

export const deviceConfirmPage = (
  place: string,
  xsrf: string,
  { name, code, address, user }: { name: string; code: string; address: string; user: string },
): string =>
  page(
    'Sign in a device',
    place,
    html`<h1>Is this your device?</h1>
<p class="lead"><strong>${name}</strong> asks from ${address} to be signed in as <strong>${user}</strong>. It must show this code:</p>
<p class="compare"><code>${code}</code></p>
<p class="hint">If somebody sent you the code, do not go on: they would be signed in as you.</p>
<form method="post" action="/device">
<input type="hidden" name="xsrf" value="${xsrf}">
<input type="hidden" name="user_code" value="${code}">
<button name="confirm" value="yes">It is mine</button>
<button class="quiet" name="abort" value="yes">It is not</button>
</form>`,
  )

export const deviceDonePage = (place: string, name: string): string =>
  page(
    'Signed in',
    place,
    html`<h1>Signed in</h1>
<p class="lead"><strong>${name}</strong> is signed in. You can close this page.</p>`,
  )
