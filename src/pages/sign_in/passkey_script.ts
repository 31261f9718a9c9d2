import { hash } from 'node:crypto'
import type { Catalogue } from '../../strings/catalogue.ts'
import { html, type Html } from '../../html/html.ts'

/**
 * Asks the browser for a passkey and posts the answer like any other form. On the sign-in page, the browser also offers passkeys
 * in the field for the name until a button is pressed, boxes that are ticked beside it count too, and the challenge is renewed before it expires. A browser that does not know
 * related origins (WebAuthn Level 3, section 5.11) goes away to the host for which the passkey was made.
 */
export const passkeyScript = `
const Passkey = globalThis.PublicKeyCredential
const renewAfter = 4 * 60_000
let waiting
const stopWaiting = () => waiting?.abort()
let posted = false
const takeBoxes = (form) => {
  for (const box of document.querySelectorAll('input[type=checkbox]:checked')) {
    if (box.form === form) continue
    const field = Object.assign(document.createElement('input'), { type: 'hidden', name: box.name, value: box.value })
    form.append(field)
  }
}
const post = (form, answer) => {
  if (posted) return
  posted = true
  form.elements.answer.value = JSON.stringify(answer.toJSON())
  takeBoxes(form)
  HTMLFormElement.prototype.submit.call(form)
}
const goAway = (form) => {
  form.action = form.dataset.away
  takeBoxes(form)
  HTMLFormElement.prototype.submit.call(form)
}
const mustGoAway = async (form) => {
  if (form.dataset.away === undefined) return false
  const known = await Passkey.getClientCapabilities?.().catch(() => undefined)
  return known?.relatedOrigins !== true
}
const requestOf = (form) => Passkey.parseRequestOptionsFromJSON(JSON.parse(form.dataset.options))
const offerInField = async (form) => {
  stopWaiting()
  if (form.dataset.field === undefined || (await mustGoAway(form))) return
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
      if (await mustGoAway(form)) return goAway(form)
      await fresh?.refresh()
      const made = form.dataset.passkey === 'create'
      const publicKey = made ? Passkey.parseCreationOptionsFromJSON(JSON.parse(form.dataset.options)) : requestOf(form)
      post(form, made ? await navigator.credentials.create({ publicKey }) : await navigator.credentials.get({ publicKey }))
    } catch (error) {
      if (error.name === 'SecurityError' && form.dataset.away !== undefined) return goAway(form)
      notice.textContent = error.name === 'InvalidStateError' ? form.dataset.exists : form.dataset.missing
      notice.hidden = false
      fresh?.again()
    }
  })
}
`.trim()

const version = hash('sha256', passkeyScript, 'hex').slice(0, 12)

export const passkeyTagAt = (path: string) => html`<script type="module" src="${path}?v=${version}"></script>`
export const passkeyTag = passkeyTagAt('/auth/passkeys.js')

interface PasskeyForm {
  readonly way: 'create' | 'get'
  readonly options: unknown
  /** The address of new options, for a page that stays open for longer than a challenge lives. */
  readonly renewed?: string
  /** Offers the passkeys in the field for the name. */
  readonly inField?: boolean
  /** Where the form goes if this browser cannot ask for the passkey here. */
  readonly away?: string | false
  readonly action: string
  readonly token: string
  readonly hidden?: Readonly<Record<string, string>>
  readonly fields?: Html | false | undefined
  readonly button: string
  /** More attributes of the button. */
  readonly attributes?: Html | false
}

/** Stays hidden until the script finds that the browser supports passkeys. */
export const passkeyForm = (
  { sign_in }: Catalogue,
  form: PasskeyForm,
): Html => {
  const { way, options, renewed, inField, away = false, action, token } = form
  const { hidden = {}, fields, button, attributes = false } = form
  return html`<form method="post" action="${action}" data-passkey="${way}" data-options="${JSON.stringify(options)}"${renewed !== undefined && html` data-renewed="${renewed}"`}${inField === true && html` data-field`}${away !== false && html` data-away="${away}"`} data-exists="${sign_in.passkey_exists}" data-missing="${sign_in.passkey_missing}" hidden>
<input type="hidden" name="form_token" value="${token}">
<input type="hidden" name="answer">
${Object.entries(hidden).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)}
${fields}
<button class="quiet"${attributes}>${button}</button>
<p class="notice" role="alert" hidden></p>
</form>`
}

/** The passkeys of one name that a page asks for. */
export interface PasskeyOffer {
  /** The name for which they were made. */
  readonly rpId: string
  /** The browser's options. */
  readonly options: unknown
  /** Whether the name is that of an earlier public URL, which not every browser accepts here. */
  readonly away: boolean
}

/** What a form says about one of several offers. The first needs no name. */
export const offered = (
  { sign_in }: Catalogue,
  { rpId, options, away }: PasskeyOffer,
  index: number,
): Pick<PasskeyForm, 'options' | 'away' | 'button'> => ({
  options,
  away: away && '/auth/passkey/begin',
  button: index === 0 ? sign_in.use_passkey : sign_in.use_passkey_of({ host: rpId }),
})
