import { hash } from 'node:crypto'
import { html } from '../../html/html.ts'

/** Shows the password on demand, says which time zone the browser has, and keeps the part of the page (`#…`) that the person wants to open. */
export const signInScript = `
for (const button of document.querySelectorAll('button[data-reveal]')) {
  const field = document.getElementById(button.dataset.reveal)
  const show = (shown) => {
    if (shown === (field.type === 'text')) return
    const { selectionStart, selectionEnd } = field
    field.type = shown ? 'text' : 'password'
    if (document.activeElement === field) field.setSelectionRange(selectionStart, selectionEnd)
    button.setAttribute('aria-pressed', String(shown))
  }
  button.hidden = false
  button.addEventListener('mousedown', (event) => event.preventDefault())
  button.addEventListener('click', () => show(field.type === 'password'))
  field.form.addEventListener('submit', () => show(false))
}
const { timeZone } = Intl.DateTimeFormat().resolvedOptions()
if (timeZone) {
  const prefix = isSecureContext ? '__Host-' : ''
  const safe = isSecureContext ? '; Secure' : ''
  document.cookie = prefix + 'hero_proxy_zone=' + encodeURIComponent(timeZone) + '; Path=/; SameSite=Lax; Max-Age=3600' + safe
}
const part = location.hash
if (part.length > 1 && part.length <= 2000) {
  for (const field of document.querySelectorAll('input[name=return_to]'))
    if (!field.value.includes('#')) field.value += part
  for (const link of document.querySelectorAll('a[data-onward]')) {
    const address = new URL(link.href)
    const path = address.searchParams.get('return_to')
    if (!path.includes('#')) address.searchParams.set('return_to', path + part)
    link.href = address.href
  }
}
`.trim()

const version = hash('sha256', signInScript, 'hex').slice(0, 12)

export const signInTag = html`<script type="module" src="/auth/sign_in.js?v=${version}"></script>`
