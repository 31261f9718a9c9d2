import { returnPathCookie } from '../../wire/cookies.ts'
import { emailField, newPasswordField } from '../../html/form.ts'
import type { HomeParts } from '../handover/at_home.ts'
import { onwardPath } from '../return_path.ts'
import type { PageRequest } from '../page_request.ts'
import { openSession } from './complete_sign_in.ts'
import { back, linkOf, onward, show, submit, tell, toSignIn, type Form } from './link_forms.ts'
import { serviceOf } from './show_sign_in.ts'

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
  const link = await linkOf(page, token, ['reset'], '/auth/reset')
  if (link) await show(page, resetForm(token, link.address))
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
  const again = resetForm(token, (await page.links.find(token, 'reset'))?.address)
  if (await submit(page, 'auth.reset_password', params, again)) await tell(page, { reason: 'password_set' })
}

// Signing in by a link.

/** The maximum of magic_link_lifetime. */
const maxMagicSeconds = 3600

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
  if (token === null) return show(page, magicForm('', onwardPath(page, page.query.get('return_to'))))
  const link = await linkOf(page, token, ['magic'], '/auth/magic')
  if (!link) return
  const { address } = link
  const path = onwardPath(page, (await page.keepsakes())(returnPathCookie))
  const service = await serviceOf(destinations, path)
  await show(page, enterForm(token, { address, host: service?.host }))
}

export const postMagic = async (page: PageRequest): Promise<void> => {
  const form = await page.form({ forGuests: true })
  if (!form) return
  const token = form.get('token')
  if (token === null) {
    const email = form.get('email') ?? ''
    const returnTo = onwardPath(page, form.get('return_to'))
    if (await submit(page, 'auth.request_magic_link', { email }, magicForm(email, returnTo)))
      await tell(page, { reason: 'check_email' }, onward(returnTo, maxMagicSeconds))
    return
  }
  const read = await page.keepsakes()
  const returnTo = onwardPath(page, read(returnPathCookie))
  await openSession(
    page,
    'auth.login_by_link',
    { token },
    returnTo,
    (problem, status, headers) => show(page, enterForm(token), status, problem, headers),
    [onward('')],
  )
}
