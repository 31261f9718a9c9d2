import { renderSVG } from 'uqr'
import type { Caller } from '../../contract/caller.ts'
import { AppError, errorTable } from '../../contract/errors.ts'
import type { Catalogue } from '../../strings/catalogue.ts'
import { inWords } from '../sign_in/complete_sign_in.ts'
import { accountPage, recoveryPage, totpPage, type Account } from './account_view.ts'
import { Html } from '../../html/html.ts'
import { mePage } from './me_view.ts'
import { tokenPage } from './tokens_view.ts'
import type { PageRequest } from '../page_request.ts'

// The account page: what the methods about oneself offer, as forms. Each ends in the method of its row.

type Form = URLSearchParams

interface Action {
  readonly method: string
  readonly params: (form: Form, caller: Caller) => Record<string, unknown>
}

const none = () => ({})
const fields =
  (...names: readonly string[]) =>
  (form: Form) =>
    Object.fromEntries(names.map((name) => [name, form.get(name) ?? '']))

const actions = {
  profile: {
    method: 'users.update',
    params: (form, caller) => ({ username: caller.name, display_name: form.get('display_name') ?? '' }),
  },
  email: {
    method: 'auth.change_email',
    params: fields('email', 'current_password'),
  },
  password: {
    method: 'auth.set_password',
    params: fields('password', 'current_password'),
  },
  add_totp: { method: 'factors.add_totp', params: none },
  confirm_totp: {
    method: 'factors.confirm_totp',
    params: fields('code'),
  },
  remove_totp: { method: 'factors.remove_totp', params: none },
  renew_recovery_codes: { method: 'factors.renew_recovery_codes', params: none },
  add_passkey: {
    method: 'factors.add_passkey',
    params: (form) => ({ name: form.get('name') ?? '', attestation: form.get('answer') ?? '' }),
  },
  rename_passkey: {
    method: 'factors.rename_passkey',
    params: fields('id', 'name'),
  },
  remove_passkey: { method: 'factors.remove_passkey', params: fields('id') },
  revoke_consent: {
    method: 'consents.revoke',
    params: fields('client'),
  },
  make_token: {
    method: 'token.create',
    params: (form, caller) => ({
      user: caller.name,
      ...fields('name', 'scope')(form),
      expires_in: Math.round(Number(form.get('days')) * 86_400) || 0,
    }),
  },
  revoke_token: { method: 'token.revoke', params: fields('id') },
  unlink: {
    method: 'users.identities.remove',
    params: (form, caller) => ({ user: caller.name, id: form.get('id') ?? '' }),
  },
  revoke: { method: 'sessions.revoke', params: fields('id') },
  revoke_all: { method: 'sessions.revoke_all', params: none },
} satisfies Record<string, Action>

export type AccountAction = keyof typeof actions
export const accountActions = Object.keys(actions) as AccountAction[]

type Done = Catalogue['account']['done']

const isDone = (name: string, { account }: Catalogue): name is keyof Done => Object.hasOwn(account.done, name)

const read = async (visit: PageRequest, caller: Caller): Promise<Account> => {
  const call = <T>(method: string, params = {}) => visit.call(method, params, caller) as Promise<T>
  const me = await call<Account['me']>('auth.me')
  const factors = await call<Account['factors']>('factors.list')
  const sessions = await call<{ items: Account['sessions'] }>('sessions.list')
  const identities = await call<{ items: Account['identities'] }>('users.identities.list', {
    user: caller.name,
  })
  const consents = await call<{ items: Account['consents'] }>('consents.list')
  const tokens = await call<{ items: Account['tokens'] }>('token.list')
  const offered = visit.atHome && me.impersonating === null
  // Whoever has as many as there can be is told so when they try.
  const creation = offered ? await call('factors.passkey_options').catch(() => undefined) : undefined
  return {
    me,
    factors,
    sessions: sessions.items,
    identities: identities.items,
    providers: (await visit.offers()).providers,
    consents: consents.items,
    tokens: tokens.items,
    creation,
  }
}

const show = async (
  visit: PageRequest,
  caller: Caller,
  status: number,
  said: { done?: keyof Done | undefined; problem?: string },
) => {
  const account = await read(visit, caller)
  await visit.pageWithScript(status, (token, words) =>
    accountPage(words, {
      ...account,
      problem: said.problem,
      done: said.done && words.account.done[said.done],
      place: visit.asked.host,
      token,
    }),
  )
}

/** Who is signed in here: a page for people, JSON for programs. */
export const me = async (visit: PageRequest): Promise<void> => {
  const caller = await visit.caller()
  const near = caller ? undefined : await visit.near()
  if (!caller && !near) {
    if (visit.navigates) return visit.go(302, '/auth/login')
    return visit.tell({ status: 401, reason: 'not_signed_in', code: 'unauthenticated' })
  }
  if (!visit.navigates) return visit.json(await visit.call('auth.me', {}, (caller ?? near)!))
  if (caller && visit.atHome) {
    const done = visit.query.get('done') ?? ''
    return show(visit, caller, 200, { done: isDone(done, await visit.words()) ? done : undefined })
  }
  const known = (await visit.call('auth.me', {}, (caller ?? near)!)) as Parameters<typeof mePage>[1]
  const home = visit.home('/auth/me')
  await visit.page(200, (token, words) =>
    mePage(words, { ...known, place: visit.asked.host, token, home, signedIn: caller !== undefined }),
  )
}

const showTotp = (visit: PageRequest, { secret, uri }: { secret: string; uri: string }, problem?: string) =>
  visit.page(problem === undefined ? 200 : 401, (token, words) =>
    totpPage(words, {
      place: visit.asked.host,
      token,
      secret,
      uri,
      picture: new Html(renderSVG(uri, { border: 2 })),
      problem,
    }),
  )

/** Pages of the service at this host could post the same forms. */
const notHome = (visit: PageRequest): void =>
  visit.tell({
    status: 403,
    reason: 'not_home',
    code: 'proof_required',
    link: { href: visit.home('/auth/me'), name: 'go_there' },
  })

/** What a form of the account page posts. */
export const postAccount =
  (name: AccountAction) =>
  async (visit: PageRequest): Promise<void> => {
    const form = await visit.form()
    if (!form) return
    const caller = await visit.caller()
    if (!caller) return visit.go(303, '/auth/login?return_to=/auth/me')
    if (!visit.atHome) return notHome(visit)
    const action: Action = actions[name]
    try {
      const result = (await visit.call(action.method, action.params(form, caller), caller)) as {
        secret: string
        uri: string
        recovery_codes?: readonly string[]
        access_token: string
      } | null
      if (name === 'add_totp') return await showTotp(visit, result!)
      if (name === 'make_token')
        return await visit.page(200, (_, words) => tokenPage(words, visit.asked.host, result!.access_token))
      const codes = result?.recovery_codes ?? []
      if (codes.length > 0)
        return await visit.page(200, (_, words) => recoveryPage(words, visit.asked.host, codes))
      visit.go(303, `/auth/me?done=${name}`)
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      if (error.error === 'proof_required') return visit.go(303, '/auth/prove?return_to=/auth/me')
      const problem = await inWords(visit, error)
      const secret = form.get('secret') ?? ''
      const uri = form.get('uri') ?? ''
      const begun = name === 'confirm_totp' && error.error === 'unauthenticated'
      // The seed is the one that this very page showed; what counts is the one that is kept.
      if (begun && /^[A-Z2-7]{32}$/.test(secret) && /^otpauth:\/\/totp\/[!-~]{1,300}$/.test(uri))
        return showTotp(visit, { secret, uri }, problem)
      await show(visit, caller, errorTable[error.error].http, { problem })
    }
  }
