import { hash } from 'node:crypto'
import type { Catalogue } from '../../strings/catalogue.ts'
import { html, type Html } from '../../html/html.ts'

/**
 * Asks the browser for a passkey and posts the answer like any other form. On the sign-in page, the browser also offers passkeys
 * in the field for the name until a button is pressed, and the challenge is renewed before it expires.
 */
export const passkeyScript = `
const Passkey = globalThis.PublicKeyCredential
const renewAfter = 4 * 60_000
let waiting
const stopWaiting = () => waiting?.abort()
let posted = false
const post = (form, answer) => {
  if (posted) return
  posted = true
  form.elements.answer.value = JSON.stringify(answer.toJSON())
  HTMLFormElement.prototype.submit.call(form)
}
const requestOf = (form) => Passkey.parseRequestOptionsFromJSON(JSON.parse(form.dataset.options))
const offerInField = async (form) => {
  stopWaiting()
  const { signal } = (waiting = new AbortController())
  try {
    if (!(await Passkey.isConditionalMediationAvailable?.()) || signal.aborted) return
    const answer = await navigator.credentials.get({ publicKey: requestOf(form), mediation: 'conditional', signal })
    if (!signal.aborted) post(form, answer)
  } catch {}
}
const renew = async (form) => {
  const answer = await fetch(form.dataset.renewed, { headers: { Background: '1' } }).catch(() => undefined)
  if (answer?.ok) form.dataset.options = await answer.text()
}
const keepFresh = (form) => {
  let since = Date.now()
  let pressed = false
  const refresh = async () => {
    if (Date.now() - since < renewAfter) return
    since = Date.now()
    await renew(form)
    if (!pressed) offerInField(form)
  }
  setInterval(refresh, renewAfter)
  document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && refresh())
  addEventListener('submit', () => { pressed = true; stopWaiting() }, true)
  offerInField(form)
  return { refresh, again: () => { pressed = false; offerInField(form) } }
}
for (const form of document.querySelectorAll('form[data-passkey]')) {
  if (!Passkey?.parseRequestOptionsFromJSON) continue
  form.hidden = false
  const fresh = form.dataset.renewed && keepFresh(form)
  form.addEventListener('submit', async (event) => {
    event.preventDefault()
    const notice = form.querySelector('[role=alert]')
    notice.hidden = true
    try {
      await fresh?.refresh()
      const made = form.dataset.passkey === 'create'
      const publicKey = made ? Passkey.parseCreationOptionsFromJSON(JSON.parse(form.dataset.options)) : requestOf(form)
      post(form, made ? await navigator.credentials.create({ publicKey }) : await navigator.credentials.get({ publicKey }))
    } catch (error) {
      notice.textContent = error.name === 'InvalidStateError' ? form.dataset.exists : form.dataset.missing
      notice.hidden = false
      fresh?.again()
    }
  })
}
`.trim()

const version = hash('sha256', passkeyScript, 'hex').slice(0, 12)

export const passkeyTag = html`<script type="module" src="/auth/passkeys.js?v=${version}"></script>`

interface PasskeyForm {
  readonly way: 'create' | 'get'
  readonly options: unknown
  /** The address of new options, for a page that stays open for longer than a challenge lives. */
  readonly renewed?: string
  readonly action: string
  readonly token: string
  readonly hidden?: Readonly<Record<string, string>>
  readonly fields?: Html
  readonly button: string
  /** More attributes of the button. */
  readonly attributes?: Html | false
}

/** Stays hidden until the script finds that the browser supports passkeys. */
export const passkeyForm = (
  { sign_in }: Catalogue,
  { way, options, renewed, action, token, hidden = {}, fields, button, attributes = false }: PasskeyForm,
): Html =>
  html`<form method="post" action="${action}" data-passkey="${way}" data-options="${JSON.stringify(options)}"${renewed !== undefined && html` data-renewed="${renewed}"`} data-exists="${sign_in.passkey_exists}" data-missing="${sign_in.passkey_missing}" hidden>
<input type="hidden" name="form_token" value="${token}">
<input type="hidden" name="answer">
${Object.entries(hidden).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)}
${fields}
<button class="quiet"${attributes}>${button}</button>
<p class="notice" role="alert" hidden></p>
</form>`
