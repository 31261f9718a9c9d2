import { html } from '../../html/html.ts'
import type { Catalogue } from '../../strings/catalogue.ts'
import { passkeyForm, passkeyTag } from '../sign_in/passkey_script.ts'
import { accountForm, endLink, hiddenId } from './topic.ts'

export interface Passkey {
  readonly id: string
  readonly name: string
  /** The host for which it was made. */
  readonly rp_id: string
  readonly synced: boolean
  readonly verifies_user: boolean
  readonly created_at: number
  readonly last_used_at: number | null
}

const keyRow = (words: Catalogue, host: string, token: string, key: Passkey) => {
  const own = words.account.passkeys
  const name = html`${hiddenId(key.id)}<label for="name-${key.id}">${own.name}</label>
<input id="name-${key.id}" name="name" value="${key.name}" maxlength="80" required>`
  return html`<li><p><strong>${key.name}</strong>${key.synced && ` (${own.synced})`}<br><span class="number">${own.dates(key)}</span></p>
${!key.verifies_user && html`<p class="hint">${own.second_only}</p>`}
${key.rp_id !== host && html`<p class="hint">${own.depends({ host: key.rp_id })}</p>`}
<details><summary>${own.change}</summary>
${accountForm(token, 'rename_passkey', name, own.rename)}
${endLink('remove_passkey', { id: key.id }, own.remove)}
</details></li>`
}

/**
 * `creation` is the browser's options for a new passkey; undefined if none can be added here, `by_mail` or
 * `by_provider` if a code from the mail or a round to the provider comes first.
 */
export const passkeysSection = (
  words: Catalogue,
  /** Home's. */
  host: string,
  token: string,
  passkeys: readonly Passkey[],
  creation: unknown,
) => {
  const own = words.account.passkeys
  return {
    title: own.heading,
    content: html`${
      passkeys.length === 0
        ? html`<p>${own.about}</p>`
        : html`<ul class="rows">${passkeys.map((key) => keyRow(words, host, token, key))}</ul>`
    }
${
  creation === undefined
    ? html`<p class="hint">${own.elsewhere}</p>`
    : creation === 'by_mail'
      ? html`<p>${own.by_mail} <a href="/auth/prove/mail?return_to=/auth/passkeys">${words.sign_in.mailed_proof.button}</a></p>`
    : creation === 'by_provider'
      ? html`<p>${words.sign_in.prove.lead} <a href="/auth/prove?return_to=/auth/passkeys">${words.sign_in.prove.title}</a></p>`
    : html`${passkeyForm(words, {
        way: 'create',
        options: creation,
        action: '/auth/account/add_passkey',
        token,
        fields: html`<label for="passkey-name">${own.new_name}</label>
<input id="passkey-name" name="name" value="${own.first_name}" maxlength="80" required>`,
        button: own.add,
      })}${passkeyTag}
<noscript><p class="hint">${own.needs_script}</p></noscript>`
}`,
  }
}
