import { problemWords } from '../../strings/refusal_words.ts'
import { openSession, wishesIn } from './complete_sign_in.ts'
import { handOver, type HomeParts } from '../handover/at_home.ts'
import { linkOf } from './link_forms.ts'
import { setupPage } from './setup_view.ts'
import { onwardPath } from '../return_path.ts'
import type { PageRequest } from '../page_request.ts'
import type { FederationParts } from './provider_parts.ts'
import { departFromForm } from '../departing.ts'
import { anewHere } from './sign_in_anew.ts'
import { showSignIn } from './show_sign_in.ts'

// The pages for signing in. They decide nothing: every form calls a method.

/** Maximum length of a username or email address in characters. */
const maxLogin = 254

/** The sign-in page. With `service`, it leads on to the host of a service, at once for a person who is signed in. */
export const signIn = async (page: PageRequest, handover: HomeParts): Promise<void> => {
  const toService = page.query.has('service')
  if (toService && (await handOver(handover, page))) return
  const returnTo = toService ? page.asked.target : onwardPath(page, page.query.get('return_to'))
  // Only a person is sent on. A page of a sibling domain that loads this as a picture learns nothing from where it leads.
  const anew = page.query.get('anew') === '1' ? await anewHere(page) : undefined
  if (!toService && anew === undefined && page.journey === 'page' && (await page.caller()))
    return page.go(302, returnTo)
  const hint = page.query.get('login_hint')
  const login = hint && hint.length <= maxLogin ? { login: hint } : {}
  await showSignIn(page, handover.destinations, { returnTo, anew, ...login })
}

export const postSignIn = async (
  page: PageRequest,
  { destinations }: HomeParts,
  federation: FederationParts,
): Promise<void> => {
  const form = await page.form({
    forGuests: true,
    again: async (sent) => {
      const login = loginIn(sent)
      const text = problemWords(await page.words(), { code: 'cross_origin', reason: 'form_too_old' })
      const problem = { text, field: login === '' ? 'login' : 'password' } as const
      const returnTo = onwardPath(page, sent.get('return_to'))
      await showSignIn(page, destinations, { returnTo, login, problem }, 403)
    },
  })
  if (!form) return
  const login = loginIn(form)
  const returnTo = onwardPath(page, form.get('return_to'))
  // A button of a provider belongs to the same form, because the box does. What was typed besides does not count then.
  if (form.has('provider')) return departFromForm(federation, page, form, returnTo)
  const params = { login, password: form.get('password') ?? '' }
  const wishes = wishesIn(form)
  await openSession(
    page,
    { method: 'auth.login', params, returnTo, wishes },
    (text, status, headers, { path }) => {
      const problem = { text, field: path === 'login' ? 'login' : 'password' } as const
      return showSignIn(page, destinations, { returnTo, login, problem }, status, headers)
    },
  )
}

/** Without the blanks around it, no-break spaces and tabs included: they come with pasted text. */
const loginIn = (form: URLSearchParams): string => (form.get('login') ?? '').trim()

export const setup = async (page: PageRequest): Promise<void> => {
  const setupToken = page.query.get('token') ?? ''
  if (!(await linkOf(page, setupToken, ['setup']))) return
  await page.page(200, (token, words) => setupPage(words, { place: page.asked.host, token, setupToken }))
}

export const postSetup = async (page: PageRequest): Promise<void> => {
  const form = await page.form({ forGuests: true })
  if (!form) return
  const username = form.get('username') ?? ''
  const email = form.get('email') ?? ''
  const setupToken = form.get('token') ?? ''
  const params = { username, email, password: form.get('password') ?? '', token: setupToken }
  const returnTo = page.landing
  await openSession(page, { method: 'auth.setup', params, returnTo }, (problem, status, headers) =>
    page.page(
      status,
      (token, words) =>
        setupPage(words, { place: page.asked.host, token, setupToken, username, email, problem }),
      headers,
    ),
  )
}

export const postStopImpersonating = async (page: PageRequest): Promise<void> => {
  if (!(await page.form())) return
  const caller = await page.caller()
  // A second click, or one after the hour is over, finds that the impersonation has already ended.
  if (caller?.on_behalf !== undefined) await page.call('auth.stop_impersonating', {}, caller)
  page.go(303, '/auth/me')
}
