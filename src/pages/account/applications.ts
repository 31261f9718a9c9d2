import type { Caller } from '../../contract/caller.ts'
import { html } from '../../html/html.ts'
import { meaningsOf } from '../openid/scopes_view.ts'
import type { PageRequest } from '../page_request.ts'
import { applicationsSection, type Consent } from './applications_view.ts'
import { fields, type Topic } from './topic.ts'

const consentsOf = async (page: PageRequest, caller: Caller) =>
  ((await page.call('consents.list', {}, caller)) as { items: readonly Consent[] }).items

/** The applications that the person has given access to. */
export const applications: Topic = {
  name: 'applications',
  path: '/auth/applications',
  read: async (page, caller) => {
    const consents = await consentsOf(page, caller)
    return (words) => applicationsSection(words, consents)
  },
  forms: {
    revoke_consent: {
      method: 'consents.revoke',
      params: fields('client'),
      question: async (page, caller, query) => {
        const consent = (await consentsOf(page, caller)).find(({ client }) => client === query.get('client'))
        if (!consent) return undefined
        const { name, scopes } = consent
        return (words) => ({
          words: words.account.questions.revoke_consent,
          about: html`<p>${words.account.applications.access({ name, may: meaningsOf(words, scopes) })}</p>`,
          ends: words.account.questions.revoke_consent.ends,
        })
      },
    },
  },
}
