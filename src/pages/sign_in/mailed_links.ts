import { AppError, errorTable } from '../../contract/errors.ts'
import { onwardCookie } from '../../wire/cookies.ts'
import { inWords, openSession } from './complete_sign_in.ts'
import { emailField, formPage, newPasswordField, usernameField, type FormPage } from '../../html/form.ts'
import { safeNext } from '../return_path.ts'
import type { Keepsake, Visit } from '../page_request.ts'

// The pages of what goes by mail. A link opens a page and changes nothing, for programs open links too; its button does.

type Shown = Omit<FormPage, 'place' | 'token' | 'problem'>

const back = { href: '/auth/login', text: 'Back to signing in' }

const show = (visit: Visit, form: Shown, status = 200, problem?: string, headers = {}): Promise<void> =>
  visit.page(status, (token) => formPage({ ...form, place: visit.asked.host, token, problem }), headers)

/** Calls the method that a form ends in, or shows the form again with what went wrong. */
const submit = async (
  visit: Visit,
  method: string,
  params: Record<string, string>,
  again: Shown,
): Promise<Record<string, unknown> | undefined> => {
  try {
    return ((await visit.call(method, params, visit.guest())) as Record<string, unknown> | null) ?? {}
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    const retry = error.data.retry_after
    const headers: Record<string, string> = typeof retry === 'number' ? { 'retry-after': String(retry) } : {}
    await show(visit, again, errorTable[error.error].http, inWords(error), headers)
    return undefined
  }
}

const tell = (visit: Visit, title: string, text: string, ...kept: readonly Keepsake[]): Promise<void> =>
  visit.tellKeeping(
    { status: 200, title, text, code: 'ok', link: { href: '/auth/login', text: 'Sign in' } },
    ...kept,
  )

// Registration.

const registerForm = (invite: string, fields: { username?: string; email?: string } = {}): Shown => ({
  title: 'Make an account',
  ...(invite !== '' && {
    lead: 'You were invited. The account is made under the address that the invitation was sent to.',
  }),
  action: '/auth/register',
  hidden: invite === '' ? {} : { invite },
  fields: [
    usernameField(fields.username ?? ''),
    ...(invite === '' ? [emailField(fields.email ?? '')] : []),
    newPasswordField,
  ],
  button: 'Make the account',
  links: [back],
})

export const register = async (visit: Visit): Promise<void> => {
  const { registration } = await visit.offers()
  const invite = visit.query.get('invite') ?? ''
  if (registration === 'open' || (registration === 'invite' && invite !== ''))
    return show(visit, registerForm(invite))
  const text =
    registration === 'invite'
      ? 'Accounts are made by invitation here.'
      : 'Accounts are made by the administrators here.'
  visit.tell({
    status: 403,
    title: 'Not open',
    text,
    code: 'registration_closed',
    link: { href: back.href, text: 'Sign in' },
  })
}

export const postRegister = async (visit: Visit): Promise<void> => {
  const form = await visit.form()
  if (!form) return
  const field = (name: string) => form.get(name) ?? ''
  const invite = field('invite')
  // An invitation knows its address; this one is only well formed.
  const email = invite === '' ? field('email') : 'invited@invalid.invalid'
  const params = {
    username: field('username'),
    email,
    password: field('password'),
    ...(invite !== '' && { invite }),
  }
  const done = await submit(visit, 'auth.register', params, registerForm(invite, params))
  if (!done) return
  if (done.next === 'sign_in')
    await tell(visit, 'Your account is ready', 'Sign in with your username and password.')
  else
    await tell(
      visit,
      'Look into your mail',
      'We have sent you a link. Open it to confirm your address, then sign in.',
    )
}

// One page that only asks for a button.

const confirmForm = (token: string): Shown => ({
  title: 'Confirm your address',
  lead: 'Press the button if it was you who asked for this. If not, close this page: nothing has happened.',
  action: '/auth/verify',
  hidden: { token },
  fields: [],
  button: 'Confirm this address',
})

export const verify = (visit: Visit): Promise<void> =>
  show(visit, confirmForm(visit.query.get('token') ?? ''))

export const postVerify = async (visit: Visit): Promise<void> => {
  const form = await visit.form()
  if (!form) return
  const token = form.get('token') ?? ''
  const done = await submit(visit, 'auth.verify_email', { token }, confirmForm(token))
  if (done)
    await tell(visit, 'Address confirmed', `The account ${String(done.user)} is reached at this address now.`)
}

// A new password.

const askForm = (email: string): Shown => ({
  title: 'Forgot your password?',
  lead: 'We send a link to your address, by which you choose a new one.',
  action: '/auth/reset',
  fields: [emailField(email)],
  button: 'Send the link',
  links: [back],
})
const resetForm = (token: string): Shown => ({
  title: 'Choose a new password',
  lead: 'You will be signed out everywhere.',
  action: '/auth/reset',
  hidden: { token },
  fields: [newPasswordField],
  button: 'Set the password',
})

const sent = 'If there is such an account, a link is on its way to it. It may take a minute.'

export const reset = (visit: Visit): Promise<void> => {
  const token = visit.query.get('token')
  return show(visit, token === null ? askForm('') : resetForm(token))
}

export const postReset = async (visit: Visit): Promise<void> => {
  const form = await visit.form()
  if (!form) return
  const token = form.get('token')
  if (token === null) {
    const email = form.get('email') ?? ''
    if (await submit(visit, 'auth.request_password_reset', { email }, askForm(email)))
      await tell(visit, 'Look into your mail', sent)
    return
  }
  const params = { token, password: form.get('password') ?? '' }
  if (await submit(visit, 'auth.reset_password', params, resetForm(token)))
    await tell(visit, 'Your password is set', 'Sign in with it.')
}

// Signing in by a link.

/**
 * Where they wanted to go stays with the browser that asked, and is no part of the link: anybody can ask for one to be sent to
 * somebody else. What a cookie cannot hold is left out.
 */
const onward = (path: string): Keepsake => ({
  name: onwardCookie,
  value: /^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]{1,1024}$/.test(path) ? path : '',
  // As long as magic_link_lifetime can be.
  maxAge: 3600,
})

const magicForm = (email: string, returnTo: string): Shown => ({
  title: 'Sign in by mail',
  lead: 'We send a link to your address. Whoever opens it is signed in as you.',
  action: '/auth/magic',
  hidden: { return_to: returnTo },
  fields: [emailField(email)],
  button: 'Send the link',
  links: [back],
})
const enterForm = (token: string): Shown => ({
  title: 'Sign in',
  lead: 'Press the button to sign in on this device.',
  action: '/auth/magic',
  hidden: { token },
  fields: [],
  button: 'Sign in',
})

export const magic = async (visit: Visit): Promise<void> => {
  if (!(await visit.offers()).magicLinks) {
    const text = 'Signing in by a mailed link is not offered here.'
    return visit.tell({
      status: 403,
      title: 'Not offered',
      text,
      code: 'conflict',
      link: { href: back.href, text: 'Sign in' },
    })
  }
  const token = visit.query.get('token')
  await show(visit, token === null ? magicForm('', safeNext(visit.query.get('return_to'))) : enterForm(token))
}

export const postMagic = async (visit: Visit): Promise<void> => {
  const form = await visit.form()
  if (!form) return
  const token = form.get('token')
  if (token === null) {
    const email = form.get('email') ?? ''
    const returnTo = safeNext(form.get('return_to'))
    if (await submit(visit, 'auth.request_magic_link', { email }, magicForm(email, returnTo)))
      await tell(visit, 'Look into your mail', sent, onward(returnTo))
    return
  }
  const read = await visit.keepsakes()
  const returnTo = safeNext(read(onwardCookie))
  await openSession(
    visit,
    'auth.login_by_link',
    { token },
    returnTo,
    (problem, status, headers) =>
      show(visit, { ...enterForm(token), links: [back] }, status, problem, headers),
    [onward('')],
  )
}
