import type { Caller } from '../../contract/caller.ts'
import { html } from '../../html/html.ts'
import type { PageRequest } from '../page_request.ts'
import { sessionFacts, sessionsSection, type SignInRow } from './sessions_view.ts'
import { fields, none, type Topic } from './topic.ts'

const sessionsOf = async (page: PageRequest, caller: Caller) =>
  ((await page.call('sessions.list', {}, caller)) as { items: readonly SignInRow[] }).items

/** Where the person is signed in: one row for each sign-in, with the hosts that it opened. */
export const sessions: Topic = {
  name: 'sessions',
  path: '/auth/sessions',
  read: async (page, caller) => {
    const all = await sessionsOf(page, caller)
    const { providers } = await page.offers()
    return (words) => sessionsSection(words, all, providers)
  },
  forms: {
    revoke: {
      method: 'sessions.revoke',
      params: fields('id'),
      question: async (page, caller, query) => {
        const session = (await sessionsOf(page, caller)).find(({ id }) => id === query.get('id'))
        if (!session) return undefined
        const { providers } = await page.offers()
        return (words) => ({
          words: words.account.questions.revoke,
          about: sessionFacts(words, session, providers),
          ends: words.account.questions.revoke.ends(session),
        })
      },
    },
    revoke_all: {
      method: 'sessions.revoke_all',
      params: none,
      question: async (page, caller) => {
        const others = (await sessionsOf(page, caller)).filter(({ current }) => !current)
        if (others.length === 0) return undefined
        const { providers } = await page.offers()
        return (words) => ({
          words: words.account.questions.revoke_all,
          about: html`<ul class="rows">
            ${others.map((one) => html`<li>${sessionFacts(words, one, providers)}</li>`)}
          </ul>`,
          ends: words.account.questions.revoke_all.ends,
        })
      },
    },
  },
}
