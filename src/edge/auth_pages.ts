import { openSession } from './open_session.ts'
import { signOutPage } from './pages/me.ts'
import { setupPage } from './pages/setup.ts'
import { signInPage } from './pages/sign_in.ts'
import { safeNext } from './safe_next.ts'
import type { Visit } from './visit.ts'

// The pages of signing in and out. They decide nothing: every form ends in the method of the same name.

/** Characters that somebody's login has at most. */
const maxLogin = 254

export const signIn = async (visit: Visit): Promise<void> => {
  const returnTo = safeNext(visit.query.get('return_to'))
  if (await visit.caller()) return visit.go(302, returnTo)
  const hint = visit.query.get('login_hint')
  await showSignIn(visit, { returnTo, ...(hint && hint.length <= maxLogin && { login: hint }) })
}

const showSignIn = async (
  visit: Visit,
  shown: { returnTo: string; login?: string; problem?: string },
  status = 200,
  headers: Record<string, string> = {},
): Promise<void> => {
  const offers = await visit.offers()
  const passkey = visit.atHome ? await visit.call('auth.passkey_options', {}, visit.guest()) : undefined
  await visit.pageWithScript(
    status,
    (token) => signInPage({ place: visit.asked.host, token, offers, passkey, ...shown }),
    headers,
  )
}

export const postSignIn = async (visit: Visit): Promise<void> => {
  const form = await visit.form()
  if (!form) return
  const login = form.get('login') ?? ''
  const returnTo = safeNext(form.get('return_to'))
  const params = { login, password: form.get('password') ?? '' }
  await openSession(visit, 'auth.login', params, returnTo, (problem, status, headers) =>
    showSignIn(visit, { returnTo, login, problem }, status, headers),
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
  await openSession(visit, 'auth.setup', params, '/auth/me', (problem, status, headers) =>
    visit.page(
      status,
      (token) => setupPage({ place: visit.asked.host, token, setupToken, username, email, problem }),
      headers,
    ),
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
