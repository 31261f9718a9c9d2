import { AppError, errorTable } from '../errors.ts'
import { mePage, signOutPage } from './pages/me.ts'
import { setupPage } from './pages/setup.ts'
import { signInPage } from './pages/sign_in.ts'
import { safeNext } from './safe_next.ts'
import type { Visit } from './visit.ts'

interface Opened {
  readonly access_token: string
  readonly expires_in: number
}

interface Me {
  readonly user: string
  readonly display_name: string
  readonly email: string | null
  readonly claims: readonly string[]
  readonly impersonating: string | null
  readonly provider: string | null
}

// The pages of signing in and out. They decide nothing: every form ends in the method of the same name.

export const signIn = async (visit: Visit): Promise<void> => {
  const returnTo = safeNext(visit.query.get('return_to'))
  if (await visit.caller()) return visit.go(302, returnTo)
  const offers = await visit.offers()
  await visit.page(200, (token) => signInPage({ place: visit.asked.host, token, returnTo, offers }))
}

export const postSignIn = async (visit: Visit): Promise<void> => {
  const form = await visit.form()
  if (!form) return
  const login = form.get('login') ?? ''
  const returnTo = safeNext(form.get('return_to'))
  const params = { login, password: form.get('password') ?? '' }
  const offers = await visit.offers()
  await openSession(visit, 'auth.login', params, returnTo, (token, problem) =>
    signInPage({ place: visit.asked.host, token, returnTo, offers, login, problem }),
  )
}

export const setup = async (visit: Visit): Promise<void> => {
  const setupToken = visit.query.get('token') ?? ''
  await visit.page(200, (token) => setupPage({ place: visit.asked.host, token, setupToken }))
}

export const postSetup = async (visit: Visit): Promise<void> => {
  const form = await visit.form()
  if (!form) return
  const username = form.get('username') ?? ''
  const email = form.get('email') ?? ''
  const setupToken = form.get('token') ?? ''
  const params = { username, email, password: form.get('password') ?? '', token: setupToken }
  await openSession(visit, 'auth.setup', params, '/auth/me', (token, problem) =>
    setupPage({ place: visit.asked.host, token, setupToken, username, email, problem }),
  )
}

export const signOut = async (visit: Visit): Promise<void> => {
  const caller = await visit.caller()
  if (!caller) return visit.go(302, '/auth/login')
  const impersonating = caller.on_behalf ?? null
  await visit.page(200, (token) => signOutPage({ place: visit.asked.host, token, impersonating }))
}

export const postSignOut = async (visit: Visit): Promise<void> => {
  if (!(await visit.form())) return
  const caller = await visit.caller()
  if (caller) await visit.call('auth.logout', {}, caller)
  await visit.goWithSession('/auth/login', '', 0)
}

export const postStopImpersonating = async (visit: Visit): Promise<void> => {
  if (!(await visit.form())) return
  const caller = await visit.caller()
  // Pressed twice, or after the hour was over: it has ended already.
  if (caller?.on_behalf !== undefined) await visit.call('auth.stop_impersonating', {}, caller)
  visit.go(303, '/auth/me')
}

export const me = async (visit: Visit): Promise<void> => {
  const caller = (await visit.caller()) ?? (await visit.near())
  if (!caller) {
    if (visit.navigates) return visit.go(302, '/auth/login')
    const text = 'Sign in at /auth/login.'
    return visit.tell({ status: 401, title: 'Not signed in', text, code: 'unauthenticated' })
  }
  const known = (await visit.call('auth.me', {}, caller)) as Me
  if (!visit.navigates) return visit.json(known)
  await visit.page(200, (token) => mePage({ ...known, place: visit.asked.host, token }))
}

/** Runs the method that opens a session and sets its cookie, or shows the form again with what went wrong. */
export const openSession = async (
  visit: Visit,
  method: 'auth.login' | 'auth.setup' | 'auth.login_by_link',
  params: Record<string, string>,
  returnTo: string,
  again: (token: string, problem: string) => string,
): Promise<void> => {
  const before = await visit.caller()
  let opened
  try {
    opened = (await visit.call(method, params, visit.guest())) as Opened
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    const retry = error.data.retry_after
    const headers: Record<string, string> = typeof retry === 'number' ? { 'retry-after': String(retry) } : {}
    return visit.page(errorTable[error.error].http, (token) => again(token, inWords(error)), headers)
  }
  // One browser, one identity: whoever was signed in here before is not any more.
  if (before) await visit.call('auth.logout', {}, before).catch(() => {})
  await visit.goWithSession(returnTo, opened.access_token, opened.expires_in)
}

/** What went wrong, for people. */
export const inWords = (error: AppError): string => {
  if (error.error !== 'invalid_params') return `${error.message}.`
  const { path, allowed } = error.data as { path: string; allowed: string }
  return `${path.charAt(0).toUpperCase()}${path.slice(1)}: ${allowed}.`
}
