import type { Caller } from '../../contract/caller.ts'
import { html } from '../../html/html.ts'
import type { PageRequest } from '../page_request.ts'
import { trustedValue } from '../sign_in/device.ts'
import {
  sessionFacts,
  sessionsSection,
  trustedFacts,
  type SignInRow,
  type TrustedRow,
} from './sessions_view.ts'
import { fields, none, type Topic } from './topic.ts'

const sessionsOf = async (page: PageRequest, caller: Caller) =>
  ((await page.call('sessions.list', {}, caller)) as { items: readonly SignInRow[] }).items

const trustedBy = async (page: PageRequest, caller: Caller) => {
  const by = { ...caller, trusted: await trustedValue(page) }
  return ((await page.call('sessions.trusted.list', {}, by)) as { items: readonly TrustedRow[] }).items
}

/** Where the person is signed in: one row for each sign-in, with the hosts that it opened. */
export const sessions: Topic = {
  name: 'sessions',
  path: '/auth/sessions',
  read: async (page, caller) => {
    const all = await sessionsOf(page, caller)
    const trusted = await trustedBy(page, caller)
    const { providers, trust, remember } = await page.offers()
    const isOffered = trust !== undefined || trusted.length > 0
    return (words, token) =>
      sessionsSection(
        words,
        token,
        all,
        providers,
        isOffered ? trusted : undefined,
        remember !== undefined && caller.on_behalf === undefined,
      )
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
    untrust: {
      method: 'sessions.trusted.revoke',
      params: fields('id'),
      question: async (page, caller, query) => {
        const browser = (await trustedBy(page, caller)).find(({ id }) => id === query.get('id'))
        return (
          browser &&
          ((words) => ({
            words: words.account.questions.untrust,
            about: trustedFacts(words, browser),
            ends: words.account.questions.untrust.ends,
          }))
        )
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
