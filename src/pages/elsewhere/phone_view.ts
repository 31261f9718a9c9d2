import { linkList } from '../../html/form.ts'
import { html } from '../../html/html.ts'
import { page } from '../../html/layout.ts'
import { deviceOf } from '../../strings/browser_name.ts'
import type { Catalogue } from '../../strings/catalogue.ts'

/** The browser that waits, as `auth.open_elsewhere` returns it. */
export interface Found {
  readonly address: string
  readonly user_agent: string
  readonly network: 'same' | 'other' | 'family'
}

interface Phone {
  readonly place: string
  readonly token: string
  readonly code: string
  readonly user: string
}

/** Warns before the phone owns the request. */
export const phonePage = (words: Catalogue, { place, token, code, user }: Phone): string => {
  const { phone: own } = words.elsewhere
  return page(
    words,
    own.title,
    place,
    html`<h1>${own.title}</h1>
<p class="lead">${own.lead({ user })}</p>
<p class="notice">${own.warning}</p>
<a class="button quiet" href="/auth/me">${own.stop}</a>
<form method="post" action="/auth/elsewhere/open">
<input type="hidden" name="form_token" value="${token}">
<input type="hidden" name="code" value="${code}">
<button>${own.button}</button>
</form>`,
  )
}

/** Shows the browser, and asks for the digits. */
export const digitsPage = (
  words: Catalogue,
  { place, token, code, user, found }: Phone & { readonly found: Found },
): string => {
  const { digits: own, phone } = words.elsewhere
  return page(
    words,
    own.title,
    place,
    html`<h1>${own.title}</h1>
<p class="lead">${own.lead({ user })}</p>
<ul class="rows"><li>${own.device({ device: deviceOf(words, found.user_agent) })}<br>
${own.address({ address: found.address })}<br>
${found.network === 'same' ? own.network.same : html`<strong>${own.network[found.network]}</strong>`}</li></ul>
<form method="post" action="/auth/elsewhere/approve">
<input type="hidden" name="form_token" value="${token}">
<input type="hidden" name="code" value="${code}">
<label for="digits">${own.label}</label>
<input id="digits" name="digits" type="text" inputmode="numeric" autocomplete="off" required pattern="[0-9]{2}" maxlength="2" aria-describedby="digits-hint" autofocus>
<p class="hint" id="digits-hint">${own.hint}</p>
<button>${own.button}</button>
</form>
${linkList([{ href: '/auth/me', text: phone.stop }])}`,
  )
}

export const donePage = (words: Catalogue, place: string): string => {
  const { done } = words.elsewhere
  return page(
    words,
    done.title,
    place,
    html`<h1>${done.title}</h1>
<p class="lead" role="status">${done.lead}</p>
${linkList([{ href: '/auth/sessions', text: done.sessions }])}`,
  )
}

/** Says why the phone signs nobody in. */
export const faultPage = (words: Catalogue, place: string, problem: string): string => {
  const { ended, done } = words.elsewhere
  return page(
    words,
    ended.title,
    place,
    html`<h1>${ended.title}</h1>
<p class="notice" role="alert">${problem}</p>
${linkList([{ href: '/auth/sessions', text: done.sessions }])}`,
  )
}
