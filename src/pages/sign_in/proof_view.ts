import type { Catalogue } from '../../strings/catalogue.ts'
import { box, linkList, type Box } from '../../html/form.ts'
import { html, type Html } from '../../html/html.ts'
import { page } from '../../html/layout.ts'
import { offered, passkeyForm, passkeyTag, type PasskeyOffer } from './passkey_script.ts'

interface Proof {
  readonly place: string
  readonly token: string
  readonly title: string
  readonly lead: string
  readonly action: string
  readonly hidden: Readonly<Record<string, string>>
  /** The username, for password managers. */
  readonly user?: string
  /** What the person can type. */
  readonly field: 'code' | 'password' | undefined
  /** The path that gets the answer of a passkey. */
  readonly passkeyAction: string
  readonly passkeys: readonly PasskeyOffer[]
  /** Other ways to give the proof. */
  readonly ways?: readonly { readonly href: string; readonly text: string }[]
  /** Providers to which a form of this page leads, so that the round there is surely for this proof. */
  readonly providers?: readonly { readonly provider: string; readonly text: string }[]
  /** Who else can help. */
  readonly help?: string | undefined
  readonly box?: Box | false
  readonly problem?: string | undefined
}

const input = ({ sign_in }: Catalogue, field: 'code' | 'password'): Html =>
  field === 'code'
    ? html`<label for="code">${sign_in.code}</label>
<input id="code" name="code" type="text" inputmode="text" autocomplete="one-time-code" autocapitalize="none" spellcheck="false" required minlength="6" maxlength="40" aria-describedby="code-hint" autofocus>
<p class="hint" id="code-hint">${sign_in.code_hint}</p>`
    : html`<label for="password">${sign_in.password}</label>
<input id="password" name="password" type="password" autocomplete="current-password" required maxlength="1024" autofocus>`

/** Asks for another proof: the second step of signing in, or a fresh proof before a sensitive change. */
export const proofPage = (words: Catalogue, proof: Proof): string => {
  const { place, token, title, lead, action, hidden, user, field, ways = [], providers = [], help, problem } = proof
  const { passkeys, passkeyAction, box: choice } = proof
  const { sign_in } = words
  return page(
    words,
    title,
    place,
    html`<h1>${title}</h1>
<p class="lead">${lead}</p>
${problem !== undefined && html`<p class="notice" role="alert">${problem}</p>`}
${
  field &&
  html`<form method="post" action="${action}">
<input type="hidden" name="form_token" value="${token}">
${Object.entries(hidden).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)}
${user !== undefined && html`<input type="text" value="${user}" autocomplete="username" hidden>`}
${input(words, field)}
${choice && box(choice)}
<button>${sign_in.continue}</button>
</form>`
}
${passkeys.map((offer, i) =>
      passkeyForm(words, {
        way: 'get',
        ...offered(words, offer, i),
        action: passkeyAction,
        token,
        hidden: { ...hidden, rp_id: offer.rpId },
        fields: !field && i === 0 && choice && box(choice),
      }),
    )}
${passkeys.length > 0 && passkeyTag}
${providers.map(
  ({ provider, text }) => html`<form method="post" action="${action}">
<input type="hidden" name="form_token" value="${token}">
${Object.entries(hidden).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)}
<button class="quiet" name="provider" value="${provider}">${text}</button>
</form>`,
)}
${help !== undefined && html`<p class="hint">${help}</p>`}
${linkList([...ways, { href: '/auth/login', text: sign_in.back }])}`,
  )
}
