import { html } from '../../html/html.ts'
import { page } from '../../html/layout.ts'
import type { Catalogue } from '../../strings/catalogue.ts'
import { passkeyForm, passkeyTagAt } from '../sign_in/passkey_script.ts'

export const previousScriptPath = '/.hero_proxy/passkeys.js'

interface AwayPasskey {
  /** The earlier host. */
  readonly host: string
  readonly home: string
  readonly begun: string
  readonly options: object
}

/** The one page of an earlier host: a button that asks for the passkey. */
export const awayPasskeyPage = (words: Catalogue, { host, home, begun, options }: AwayPasskey): string => {
  const { title, lead } = words.sign_in.away
  return page(
    words,
    title,
    host,
    html`<h1>${title}</h1>
<p class="lead">${lead({ host, home })}</p>
${passkeyForm(words, {
  way: 'get',
  options,
  action: '/.hero_proxy/passkey',
  token: '',
  hidden: { begun },
  button: words.sign_in.use_passkey,
})}${passkeyTagAt(previousScriptPath)}
<noscript><p class="hint">${words.account.passkeys.needs_script}</p></noscript>`,
  )
}
