import type { Caller } from '../../contract/caller.ts'
import { html } from '../../html/html.ts'
import { meaningsOf } from '../openid/scopes_view.ts'
import type { PageRequest } from '../page_request.ts'
import { tokenPage, tokensSection, type KeptToken } from './tokens_view.ts'
import { fields, type Topic } from './topic.ts'

const tokensOf = async (page: PageRequest, caller: Caller) =>
  ((await page.call('token.list', {}, caller)) as { items: readonly KeptToken[] }).items

/** The tokens that the person's scripts send. */
export const tokens: Topic = {
  name: 'tokens',
  path: '/auth/tokens',
  read: async (page, caller) => {
    const all = await tokensOf(page, caller)
    return (words, token) => tokensSection(words, token, all)
  },
  forms: {
    make_token: {
      method: 'token.create',
      params: (form, caller) => ({
        user: caller.name,
        ...fields('name', 'scope')(form),
        expires_in: Math.round(Number(form.get('days')) * 86_400) || 0,
      }),
      reveal: async (page, result) => {
        const { access_token } = result as { access_token: string }
        await page.pageWithScript(200, (_, words) => tokenPage(words, page.asked.host, access_token))
        return true
      },
    },
    revoke_token: {
      method: 'token.revoke',
      params: fields('id'),
      question: async (page, caller, query) => {
        const kept = (await tokensOf(page, caller)).find(({ id }) => id === query.get('id'))
        if (!kept) return undefined
        return (words) => {
          const { applications, tokens: own, questions } = words.account
          const access = applications.access({ name: kept.name, may: meaningsOf(words, [kept.scope]) })
          return {
            words: questions.revoke_token,
            about: html`<p>${access}<br /><span class="number">${own.dates(kept)}</span></p>`,
            ends: questions.revoke_token.ends,
          }
        }
      },
    },
  },
}
