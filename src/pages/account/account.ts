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

// The account page: the methods that people call about themselves, as forms. Each form calls the method in its row.

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

const read = async (page: PageRequest, caller: Caller): Promise<Account> => {
  const call = <T>(method: string, params = {}) => page.call(method, params, caller) as Promise<T>
  const me = await call<Account['me']>('auth.me')
  const factors = await call<Account['factors']>('factors.list')
  const sessions = await call<{ items: Account['sessions'] }>('sessions.list')
  const identities = await call<{ items: Account['identities'] }>('users.identities.list', {
    user: caller.name,
  })
  const consents = await call<{ items: Account['consents'] }>('consents.list')
  const tokens = await call<{ items: Account['tokens'] }>('token.list')
  // This fails if no passkey can be added now; then the page does not offer one.
  const creation =
    me.impersonating === null ? await call('factors.passkey_options').catch(() => undefined) : undefined
  return {
    me,
    factors,
    sessions: sessions.items,
    identities: identities.items,
    providers: (await page.offers()).providers,
    consents: consents.items,
    tokens: tokens.items,
    creation,
  }
}

const show = async (
  page: PageRequest,
  caller: Caller,
  status: number,
  said: { done?: keyof Done | undefined; problem?: string },
) => {
  const account = await read(page, caller)
  await page.pageWithScript(status, (token, words) =>
    accountPage(words, {
      ...account,
      problem: said.problem,
      done: said.done && words.account.done[said.done],
      place: page.asked.host,
      token,
    }),
  )
}

/** Shows who is signed in here: a page for people, JSON for programs. */
export const me = async (page: PageRequest): Promise<void> => {
  const caller = await page.caller()
  const near = caller ? undefined : await page.near()
  if (!caller && !near) {
    if (page.navigates) return page.go(302, '/auth/login')
    return page.tell({ status: 401, reason: 'not_signed_in', code: 'unauthenticated' })
  }
  if (!page.navigates) return page.json(await page.call('auth.me', {}, (caller ?? near)!))
  if (caller) {
    const done = page.query.get('done') ?? ''
    return show(page, caller, 200, { done: isDone(done, await page.words()) ? done : undefined })
  }
  const known = (await page.call('auth.me', {}, near!)) as Parameters<typeof mePage>[1]
  await page.page(200, (_, words) => mePage(words, { ...known, place: page.asked.host }))
}

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

/** Handles the post of a form on the account page. */
export const postAccount =
  (name: AccountAction) =>
  async (page: PageRequest): Promise<void> => {
    const form = await page.form()
    if (!form) return
    const caller = await page.caller()
    if (!caller) return page.go(303, '/auth/login?return_to=/auth/me')
    const action: Action = actions[name]
    try {
      const result = (await page.call(action.method, action.params(form, caller), caller)) as {
        secret: string
        uri: string
        recovery_codes?: readonly string[]
        access_token: string
      } | null
      if (name === 'add_totp') return await showTotp(page, result!)
      if (name === 'make_token')
        return await page.page(200, (_, words) => tokenPage(words, page.asked.host, result!.access_token))
      const codes = result?.recovery_codes ?? []
      if (codes.length > 0)
        return await page.page(200, (_, words) => recoveryPage(words, page.asked.host, codes))
      page.go(303, `/auth/me?done=${name}`)
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      if (error.error === 'proof_required') return page.go(303, '/auth/prove?return_to=/auth/me')
      const problem = await inWords(page, error)
      const secret = form.get('secret') ?? ''
      const uri = form.get('uri') ?? ''
      const begun = name === 'confirm_totp' && error.error === 'unauthenticated'
      // The form returns the secret that this page showed. It is only displayed: the stored one counts.
      if (begun && /^[A-Z2-7]{32}$/.test(secret) && /^otpauth:\/\/totp\/[!-~]{1,300}$/.test(uri))
        return showTotp(page, { secret, uri }, problem)
      await show(page, caller, errorTable[error.error].http, { problem })
    }
  }
