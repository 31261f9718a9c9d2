import { sessionCookie } from '../../wire/cookies.ts'
import { openSession } from './complete_sign_in.ts'
import { signOutPage } from '../account/me_view.ts'
import { continuePage } from '../openid/openid_views.ts'
import { setupPage } from './setup_view.ts'
import { returnPath } from '../return_path.ts'
import type { PageRequest } from '../page_request.ts'
import { showSignIn } from './show_sign_in.ts'
import type { FederationParts } from './provider_parts.ts'

// The pages of signing in and out. They decide nothing: every form ends in the method of the same name.

/** Characters that somebody's login has at most. */
const maxLogin = 254

export const signIn = async (visit: PageRequest): Promise<void> => {
  const returnTo = returnPath(visit.query.get('return_to'))
  if (await visit.caller()) return visit.go(302, returnTo)
  const hint = visit.query.get('login_hint')
  await showSignIn(visit, { returnTo, ...(hint && hint.length <= maxLogin && { login: hint }) })
}
export const postSignIn = async (visit: PageRequest): Promise<void> => {
  const form = await visit.form()
  if (!form) return
  const login = form.get('login') ?? ''
  const returnTo = returnPath(form.get('return_to'))
  const params = { login, password: form.get('password') ?? '' }
  await openSession(visit, 'auth.login', params, returnTo, (problem, status, headers) =>
    showSignIn(visit, { returnTo, login, problem }, status, headers),
  )
}

export const setup = async (visit: PageRequest): Promise<void> => {
  const setupToken = visit.query.get('token') ?? ''
  await visit.page(200, (token, words) => setupPage(words, { place: visit.asked.host, token, setupToken }))
}

export const postSetup = async (visit: PageRequest): Promise<void> => {
  const form = await visit.form()
  if (!form) return
  const username = form.get('username') ?? ''
  const email = form.get('email') ?? ''
  const setupToken = form.get('token') ?? ''
  const params = { username, email, password: form.get('password') ?? '', token: setupToken }
  await openSession(visit, 'auth.setup', params, '/auth/me', (problem, status, headers) =>
    visit.page(
      status,
      (token, words) =>
        setupPage(words, { place: visit.asked.host, token, setupToken, username, email, problem }),
      headers,
    ),
  )
}

/** Where signing out leads: the sign-in page, unless a path of ours was asked for. */
const afterwards = (next: string | null): string => returnPath(next, '/auth/login')

export const signOut = async (visit: PageRequest): Promise<void> => {
  const caller = await visit.caller()
  const next = afterwards(visit.query.get('next'))
  if (!caller) return visit.go(302, next)
  const impersonating = caller.on_behalf ?? null
  await visit.page(200, (token, words) =>
    signOutPage(words, { place: visit.asked.host, token, impersonating, next }),
  )
}

/** Signs out here, and then, where its provider is to be told, there. */
export const postSignOut = async (
  visit: PageRequest,
  { logouts }: Pick<FederationParts, 'logouts'>,
): Promise<void> => {
  const form = await visit.form()
  if (!form) return
  const caller = await visit.caller()
  const next = afterwards(form.get('next'))
  const leave = caller?.session_id === undefined ? undefined : await logouts.leave(caller.session_id)
  if (caller) await visit.call('auth.logout', {}, caller)
  const there = await leave?.()
  if (there === undefined) return visit.goWithSession(next, '', 0)
  await visit.page(200, (_, words) => continuePage(words, visit.asked.host, there, 'signing_out'), {}, [
    { name: sessionCookie, value: '', maxAge: 0 },
  ])
}

export const postStopImpersonating = async (visit: PageRequest): Promise<void> => {
  if (!(await visit.form())) return
  const caller = await visit.caller()
  // Pressed twice, or after the hour was over: it has ended already.
  if (caller?.on_behalf !== undefined) await visit.call('auth.stop_impersonating', {}, caller)
  visit.go(303, '/auth/me')
}
