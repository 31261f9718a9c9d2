import { renderSVG } from 'uqr'
import type { Caller } from '../../contract/caller.ts'
import { Html, html } from '../../html/html.ts'
import type { PageRequest } from '../page_request.ts'
import {
  recoveryPage,
  securitySection,
  titleOfWay,
  totpPage,
  type Identity,
  type Security,
} from './security_view.ts'
import { fields, none, type Topic, type TopicForm } from './topic.ts'

type Factors = Security['factors']

const factorsOf = (page: PageRequest, caller: Caller) =>
  page.call('factors.list', {}, caller) as Promise<Factors>

const identitiesOf = async (page: PageRequest, caller: Caller) =>
  (
    (await page.call('users.identities.list', { user: caller.name }, caller)) as {
      items: readonly Identity[]
    }
  ).items

const showTotp = (page: PageRequest, { secret, uri }: { secret: string; uri: string }, problem?: string) =>
  page.page(problem === undefined ? 200 : 401, (token, words) =>
    totpPage(words, {
      place: page.asked.host,
      token,
      secret,
      uri,
      picture: new Html(renderSVG(uri, { border: 2 })),
      problem,
    }),
  )

/** Shows recovery codes, if the method made any: the first second factor brings them. */
export const revealCodes =
  (back: string): NonNullable<TopicForm['reveal']> =>
  async (page, result) => {
    const { recovery_codes: codes = [] } = (result ?? {}) as { recovery_codes?: readonly string[] }
    if (codes.length === 0) return false
    await page.pageWithScript(200, (_, words) => recoveryPage(words, page.asked.host, codes, back))
    return true
  }

const path = '/auth/security'

/** How people prove who they are: password, authenticator app, recovery codes, accounts elsewhere. */
export const security: Topic = {
  name: 'security',
  path,
  read: async (page, caller) => {
    const all = {
      user: caller.name,
      factors: await factorsOf(page, caller),
      identities: await identitiesOf(page, caller),
      providers: (await page.offers()).providers,
    }
    return (words, token) => securitySection(words, token, all)
  },
  forms: {
    password: { method: 'auth.set_password', params: fields('password', 'current_password') },
    add_totp: {
      method: 'factors.add_totp',
      params: none,
      reveal: async (page, result) => {
        await showTotp(page, result as { secret: string; uri: string })
        return true
      },
    },
    confirm_totp: {
      method: 'factors.confirm_totp',
      params: fields('code'),
      reveal: revealCodes(path),
      retry: async (page, form, { error }, problem) => {
        const secret = form.get('secret') ?? ''
        const uri = form.get('uri') ?? ''
        // The form returns the secret that this page showed. It is only displayed: the stored one counts.
        const begun = /^[A-Z2-7]{32}$/.test(secret) && /^otpauth:\/\/totp\/[!-~]{1,300}$/.test(uri)
        if (error !== 'unauthenticated' || !begun) return false
        await showTotp(page, { secret, uri }, problem)
        return true
      },
    },
    remove_totp: {
      method: 'factors.remove_totp',
      params: none,
      question: async (page, caller) => {
        const { totp } = await factorsOf(page, caller)
        if (!totp) return undefined
        return ({ account: { questions, factors } }) => ({
          words: questions.remove_totp,
          about: html`<p>${factors.app_added({ at: totp.created_at })}</p>`,
          ends: questions.remove_totp.ends,
        })
      },
    },
    renew_recovery_codes: {
      method: 'factors.renew_recovery_codes',
      params: none,
      reveal: revealCodes(path),
      question: async (page, caller) => {
        const { recovery_codes: count } = await factorsOf(page, caller)
        return ({ account: { questions, factors } }) => ({
          words: questions.renew_recovery_codes,
          about: html`<p>${factors.codes_left({ count })}</p>`,
          ends: questions.renew_recovery_codes.ends,
        })
      },
    },
    unlink: {
      method: 'users.identities.remove',
      params: (form, caller) => ({ user: caller.name, id: form.get('id') ?? '' }),
      question: async (page, caller, query) => {
        const identity = (await identitiesOf(page, caller)).find(({ id }) => id === query.get('id'))
        if (!identity) return undefined
        const { providers } = await page.offers()
        return (words) => ({
          words: words.account.questions.unlink,
          about: html`<p>
            <strong>${titleOfWay(words, providers, identity.provider)}</strong>:
            ${identity.login || identity.subject}
          </p>`,
          ends: words.account.questions.unlink.ends,
        })
      },
    },
  },
}
