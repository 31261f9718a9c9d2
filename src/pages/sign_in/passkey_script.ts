import { hash } from 'node:crypto'
import type { Catalogue } from '../../strings/catalogue.ts'
import { html, type Html } from '../../html/html.ts'

/** The only script on our pages. It asks the browser for a passkey and posts the answer like any other form. */
export const passkeyScript = `
const Passkey = globalThis.PublicKeyCredential
for (const form of document.querySelectorAll('form[data-passkey]')) {
  if (!Passkey?.parseRequestOptionsFromJSON) continue
  form.hidden = false
  form.addEventListener('submit', async (event) => {
    event.preventDefault()
    const notice = form.querySelector('[role=alert]')
    notice.hidden = true
    try {
      const options = JSON.parse(form.dataset.options)
      const made = form.dataset.passkey === 'create'
      const publicKey = made ? Passkey.parseCreationOptionsFromJSON(options) : Passkey.parseRequestOptionsFromJSON(options)
      const answer = made ? await navigator.credentials.create({ publicKey }) : await navigator.credentials.get({ publicKey })
      form.elements.answer.value = JSON.stringify(answer.toJSON())
      HTMLFormElement.prototype.submit.call(form)
    } catch (error) {
      notice.textContent = error.name === 'InvalidStateError' ? form.dataset.exists : form.dataset.missing
      notice.hidden = false
    }
  })
}
`.trim()

const version = hash('sha256', passkeyScript, 'hex').slice(0, 12)

export const passkeyTag = html`<script type="module" src="/auth/passkeys.js?v=${version}"></script>`

interface PasskeyForm {
  readonly way: 'create' | 'get'
  readonly options: unknown
  readonly action: string
  readonly token: string
  readonly hidden?: Readonly<Record<string, string>>
  readonly fields?: Html
  readonly button: string
}

/** Stays hidden until the script finds that the browser supports passkeys. */
export const passkeyForm = (
  { sign_in }: Catalogue,
  { way, options, action, token, hidden = {}, fields, button }: PasskeyForm,
): Html =>
  html`<form method="post" action="${action}" data-passkey="${way}" data-options="${JSON.stringify(options)}" data-exists="${sign_in.passkey_exists}" data-missing="${sign_in.passkey_missing}" hidden>
<input type="hidden" name="form_token" value="${token}">
<input type="hidden" name="answer">
${Object.entries(hidden).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)}
${fields}
<button class="quiet">${button}</button>
<p class="notice" role="alert" hidden></p>
</form>`
