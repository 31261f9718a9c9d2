import type { Caller } from '../../contract/caller.ts'
import { AppError } from '../../contract/errors.ts'
import { html } from '../../html/html.ts'
import type { PageRequest } from '../page_request.ts'
import { passkeysSection, type Passkey } from './passkeys_view.ts'
import { revealCodes } from './security.ts'
import { fields, type Topic } from './topic.ts'

const passkeysOf = async (page: PageRequest, caller: Caller) =>
  ((await page.call('factors.list', {}, caller)) as { passkeys: readonly Passkey[] }).passkeys

const path = '/auth/passkeys'

/** Undefined if no passkey can be added now; otherwise the options of the browser, or by what the person has to show first who they are. */
const creationFor = async (page: PageRequest, caller: Caller): Promise<unknown> => {
  try {
    return await page.call('factors.passkey_options', {}, caller)
  } catch (error) {
    const by = error instanceof AppError ? error.data.by : undefined
    return by === 'mail' || by === 'provider' ? `by_${by}` : undefined
  }
}

export const passkeys: Topic = {
  name: 'passkeys',
  path,
  script: true,
  read: async (page, caller) => {
    const all = await passkeysOf(page, caller)
    const creation = caller.on_behalf === undefined ? await creationFor(page, caller) : undefined
    return (words, token) => passkeysSection(words, page.asked.host, token, all, creation)
  },
  forms: {
    add_passkey: {
      method: 'factors.add_passkey',
      params: (form) => ({ name: form.get('name') ?? '', attestation: form.get('answer') ?? '' }),
      reveal: revealCodes(path),
    },
    rename_passkey: { method: 'factors.rename_passkey', params: fields('id', 'name') },
    remove_passkey: {
      method: 'factors.remove_passkey',
      params: fields('id'),
      question: async (page, caller, query) => {
        const key = (await passkeysOf(page, caller)).find(({ id }) => id === query.get('id'))
        if (!key) return undefined
        return ({ account: { questions, passkeys: own } }) => ({
          words: questions.remove_passkey,
          about: html`<p><strong>${key.name}</strong><br /><span class="number">${own.dates(key)}</span></p>`,
          ends: questions.remove_passkey.ends,
        })
      },
    },
  },
}
