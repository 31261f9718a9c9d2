import type { Purpose } from '../../auth/one_time_tokens.ts'
import { AppError, errorTable } from '../../contract/errors.ts'
import { returnPathCookie } from '../../wire/cookies.ts'
import type { Catalogue, NoticeFacts } from '../../strings/catalogue.ts'
import type { HomeParts } from '../handover/at_home.ts'
import { inWords, openSession } from './complete_sign_in.ts'
import { emailField, formPage, newPasswordField, usernameField, type FormPage } from '../../html/form.ts'
import { returnPath } from '../return_path.ts'
import type { Keepsake } from '../keepsake.ts'
import type { PageRequest } from '../page_request.ts'
import { serviceOf } from './show_sign_in.ts'

// The pages that links in mails open. Opening a link changes nothing, because programs open links too; the button on the page does.

type Form = (words: Catalogue) => Omit<FormPage, 'place' | 'token' | 'problem'>

const toSignIn = { href: '/auth/login', name: 'sign_in' } as const
const back = ({ sign_in }: Catalogue) => [{ href: '/auth/login', text: sign_in.back }]

const show = (page: PageRequest, form: Form, status = 200, problem?: string, headers = {}): Promise<void> =>
  page.page(
    status,
    (token, words) => formPage(words, { ...form(words), place: page.asked.host, token, problem }),
    headers,
  )

/** Calls the method of a form, or shows the form again with what went wrong. */
const submit = async (
  page: PageRequest,
  method: string,
  params: Record<string, string>,
  again: Form,
): Promise<Record<string, unknown> | undefined> => {
  try {
    return ((await page.call(method, params, page.guest())) as Record<string, unknown> | null) ?? {}
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    const retry = error.data.retry_after
    const headers: Record<string, string> = typeof retry === 'number' ? { 'retry-after': String(retry) } : {}
    await show(page, again, errorTable[error.error].http, await inWords(page, error), headers)
    return undefined
  }
}

const tell = (page: PageRequest, notice: NoticeFacts, ...kept: readonly Keepsake[]): Promise<void> =>
  page.tellKeeping({ ...notice, status: 200, code: 'ok', link: toSignIn }, ...kept)

/** Returns the address that a link was mailed to, or says at once that it does not work any more. Looking at it uses nothing up. */
const recipient = async (
  page: PageRequest,
  token: string,
  purposes: readonly Purpose[],
  anew?: string,
): Promise<string | undefined> => {
  const address = await page.links.recipient(token, ...purposes)
  if (address !== undefined) return address
  const link = anew === undefined ? toSignIn : ({ href: anew, name: 'new_link' } as const)
  page.tell({ status: 410, reason: 'dead_link', code: 'dead_link', link })
  return undefined
}

// Registration.

const registerForm =
  (invite: string, fields: { username?: string; email?: string; address?: string } = {}): Form =>
  (words) => {
    const { title, invited, button } = words.sign_in.register
    const hidden: Record<string, string> = invite === '' ? {} : { invite }
    return {
      title,
      ...(fields.address !== undefined && { lead: invited({ address: fields.address }) }),
      action: '/auth/register',
      hidden,
      fields: [
        usernameField(words, fields.username ?? ''),
        ...(invite === '' ? [emailField(words, fields.email ?? '')] : []),
        newPasswordField(words),
      ],
      button,
      links: back(words),
    }
  }

export const register = async (page: PageRequest): Promise<void> => {
  const { registration } = await page.offers()
  const invite = page.query.get('invite') ?? ''
  if (registration === 'open' || (registration === 'invite' && invite !== '')) {
    if (invite === '') return show(page, registerForm(''))
    const address = await recipient(page, invite, ['invite'])
    return address === undefined ? undefined : show(page, registerForm(invite, { address }))
  }
  page.tell({
    status: 403,
    reason: registration === 'invite' ? 'registration_by_invitation' : 'registration_closed',
    code: 'registration_closed',
    link: toSignIn,
  })
}

export const postRegister = async (page: PageRequest): Promise<void> => {
  const form = await page.form({ forGuests: true })
  if (!form) return
  const field = (name: string) => form.get(name) ?? ''
  const invite = field('invite')
  // The invitation already has the address. This placeholder only has to be well formed.
  const email = invite === '' ? field('email') : 'invited@invalid.invalid'
  const params = {
    username: field('username'),
    email,
    password: field('password'),
    ...(invite !== '' && { invite }),
  }
  const address = invite === '' ? undefined : await page.links.recipient(invite, 'invite')
  const again = registerForm(invite, { ...params, ...(address !== undefined && { address }) })
  const done = await submit(page, 'auth.register', params, again)
  if (!done) return
  await tell(page, { reason: done.next === 'sign_in' ? 'account_ready' : 'check_email_to_confirm' })
}

// Confirming an email address.

const confirmForm =
  (token: string): Form =>
  ({ sign_in }) => ({ ...sign_in.verify, action: '/auth/verify', hidden: { token }, fields: [] })

export const verify = async (page: PageRequest): Promise<void> => {
  const token = page.query.get('token') ?? ''
  if ((await recipient(page, token, ['verify', 'change'])) !== undefined) await show(page, confirmForm(token))
}

export const postVerify = async (page: PageRequest): Promise<void> => {
  const form = await page.form({ forGuests: true })
  if (!form) return
  const token = form.get('token') ?? ''
  const done = await submit(page, 'auth.verify_email', { token }, confirmForm(token))
  if (done) await tell(page, { reason: 'address_confirmed', values: { user: String(done.user) } })
}

// A new password.

const askForm =
  (email: string): Form =>
  (words) => ({
    ...words.sign_in.forgot,
    action: '/auth/reset',
    fields: [emailField(words, email)],
    links: back(words),
  })
const resetForm =
  (token: string, address: string | undefined): Form =>
  (words) => ({
    title: words.sign_in.reset.title,
    button: words.sign_in.reset.button,
    ...(address !== undefined && { lead: words.sign_in.reset.lead({ address }) }),
    action: '/auth/reset',
    hidden: { token },
    fields: [newPasswordField(words)],
  })

export const reset = async (page: PageRequest): Promise<void> => {
  const token = page.query.get('token')
  if (token === null) return show(page, askForm(''))
  const address = await recipient(page, token, ['reset'], '/auth/reset')
  if (address !== undefined) await show(page, resetForm(token, address))
}

export const postReset = async (page: PageRequest): Promise<void> => {
  const form = await page.form({ forGuests: true })
  if (!form) return
  const token = form.get('token')
  if (token === null) {
    const email = form.get('email') ?? ''
    if (await submit(page, 'auth.request_password_reset', { email }, askForm(email)))
      await tell(page, { reason: 'check_email' })
    return
  }
  const params = { token, password: form.get('password') ?? '' }
  const again = resetForm(token, await page.links.recipient(token, 'reset'))
  if (await submit(page, 'auth.reset_password', params, again)) await tell(page, { reason: 'password_set' })
}

// Signing in by a link.

/**
 * The browser that requested the link keeps the return path. The link must not contain it, because anybody can have a link sent to
 * somebody else. A path that a cookie cannot hold is left out.
 */
const onward = (path: string): Keepsake => ({
  name: returnPathCookie,
  value: /^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]{1,3500}$/.test(path) ? path : '',
  // The maximum of magic_link_lifetime.
  maxAge: 3600,
})

const magicForm =
  (email: string, returnTo: string): Form =>
  (words) => ({
    ...words.sign_in.magic,
    action: '/auth/magic',
    hidden: { return_to: returnTo },
    fields: [emailField(words, email)],
    links: back(words),
  })
/** Names the account and the service: somebody may have sent a link to an account of their own. */
const enterForm =
  (token: string, known?: { address: string; host: string | undefined }): Form =>
  (words) => ({
    title: words.sign_in.enter.title,
    button: words.sign_in.enter.button,
    action: '/auth/magic',
    hidden: { token },
    fields: [],
    ...(known ? { lead: words.sign_in.enter.lead(known) } : { links: back(words) }),
  })

export const magic = async (page: PageRequest, { destinations }: HomeParts): Promise<void> => {
  if (!(await page.offers()).magicLinks)
    return page.tell({ status: 403, reason: 'magic_links_off', code: 'conflict', link: toSignIn })
  const token = page.query.get('token')
  if (token === null) return show(page, magicForm('', returnPath(page.query.get('return_to'))))
  const address = await recipient(page, token, ['magic'], '/auth/magic')
  if (address === undefined) return
  const path = returnPath((await page.keepsakes())(returnPathCookie))
  const service = await serviceOf(destinations, path)
  await show(page, enterForm(token, { address, host: service?.host }))
}

export const postMagic = async (page: PageRequest): Promise<void> => {
  const form = await page.form({ forGuests: true })
  if (!form) return
  const token = form.get('token')
  if (token === null) {
    const email = form.get('email') ?? ''
    const returnTo = returnPath(form.get('return_to'))
    if (await submit(page, 'auth.request_magic_link', { email }, magicForm(email, returnTo)))
      await tell(page, { reason: 'check_email' }, onward(returnTo))
    return
  }
  const read = await page.keepsakes()
  const returnTo = returnPath(read(returnPathCookie))
  await openSession(
    page,
    'auth.login_by_link',
    { token },
    returnTo,
    (problem, status, headers) => show(page, enterForm(token), status, problem, headers),
    [onward('')],
  )
}
