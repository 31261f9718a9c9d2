import { tokenLifetimesSeconds } from '../../auth/one_time_token.ts'
import { displayNameField, emailField, newPasswordField, usernameField } from '../../html/form.ts'
import type { Catalogue } from '../../strings/catalogue.ts'
import { returnPathCookie } from '../../wire/cookies.ts'
import type { PageRequest } from '../page_request.ts'
import type { ShownInvitation } from '../shown_invitation.ts'
import { onwardPath } from '../return_path.ts'
import { openSession } from './complete_sign_in.ts'
import {
  back,
  linkOf,
  onward,
  show,
  submit,
  tell,
  toSignIn,
  type FoundLink,
  type Form,
} from './link_forms.ts'

interface Filled {
  readonly username?: string
  readonly display_name?: string
  readonly email?: string
}

const leadOf = ({ sign_in }: Catalogue, { email, approve, confirms }: ShownInvitation): string => {
  const { invited, by_link, by_link_alone, then_approved } = sign_in.register
  const how = email !== '' ? invited({ address: email }) : confirms ? by_link : by_link_alone
  return approve ? `${how} ${then_approved}` : how
}

const registerForm =
  (invite: string, invitation: ShownInvitation | undefined, returnTo: string, fields: Filled = {}): Form =>
  (words) => {
    const { title, button } = words.sign_in.register
    const hidden: Record<string, string> = invite === '' ? { return_to: returnTo } : { invite }
    // Where an address is confirmed, the page behind the mailed link asks for the password.
    const asks = asksForAddress(invite, invitation)
    return {
      title,
      ...(invitation && { lead: leadOf(words, invitation) }),
      action: '/auth/register',
      hidden,
      fields: [
        usernameField(words, fields.username ?? ''),
        displayNameField(words, fields.display_name ?? invitation?.display_name ?? ''),
        ...(asks ? [emailField(words, fields.email ?? '')] : [newPasswordField(words)]),
      ],
      button,
      links: back(words),
    }
  }

const asksForAddress = (invite: string, invitation: ShownInvitation | undefined): boolean =>
  invite === '' || (invitation?.email === '' && invitation.confirms)

export const register = async (page: PageRequest): Promise<void> => {
  const { registration } = await page.offers()
  const invite = page.query.get('invite') ?? ''
  if (registration === 'open' || (registration === 'invite' && invite !== '')) {
    const returnTo = onwardPath(page, page.query.get('return_to'))
    if (invite === '') return show(page, registerForm('', undefined, returnTo))
    const invitation = await page.people.invitation(invite)
    if (!invitation) return page.tell({ status: 410, reason: 'dead_link', code: 'dead_link', link: toSignIn })
    return show(page, registerForm(invite, invitation, returnTo))
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
  const returnTo = onwardPath(page, form.get('return_to'))
  const [username, display_name, password] = [
    field('username'),
    field('display_name').trim(),
    field('password'),
  ]
  const invitation = invite === '' ? undefined : await page.people.invitation(invite)
  const email = field('email')
  const params = {
    username,
    ...(asksForAddress(invite, invitation) ? { email } : { password }),
    ...(display_name !== '' && { display_name }),
    ...(invite !== '' && { invite }),
  }
  const again = registerForm(invite, invitation, returnTo, { username, display_name, email })
  const done = await submit(page, 'auth.register', params, again)
  if (!done) return
  if (done.next === 'wait') return tell(page, { reason: 'registration_waits' })
  if (done.next === 'sign_in') return enterNew(page, username, password)
  // The browser that registers keeps where the person was going; another one that opens the link goes to My services.
  await tell(page, { reason: 'check_email_to_confirm' }, onward(returnTo, tokenLifetimesSeconds.verify))
}

/** The person has just chosen the password of a new account, behind a link that was mailed to them: it signs them in. */
const enterNew = async (page: PageRequest, user: string, password: string): Promise<void> => {
  const returnTo = onwardPath(page, (await page.keepsakes())(returnPathCookie))
  const isReady = () => tell(page, { reason: 'account_ready' })
  const params = { login: user, password }
  await openSession(page, { method: 'auth.login', params, returnTo, kept: [onward('')] }, isReady)
}

// Confirming an email address.

/** The person who opens the link to a new account chooses its password. They see its name: somebody else may have chosen that. */
const confirmForm =
  (token: string, link: FoundLink | undefined): Form =>
  (words) => {
    const form = { action: '/auth/verify', hidden: { token } }
    const { verify, new_account } = words.sign_in
    if (link?.purpose !== 'verify') return { ...verify, ...form, fields: [] }
    const lead = new_account.lead({ user: link.wanted?.username ?? '', address: link.address })
    return { ...new_account, ...form, lead, fields: [newPasswordField(words)] }
  }

export const verify = async (page: PageRequest): Promise<void> => {
  const token = page.query.get('token') ?? ''
  const link = await linkOf(page, token, ['verify', 'change'])
  if (link) await show(page, confirmForm(token, link))
}

export const postVerify = async (page: PageRequest): Promise<void> => {
  const form = await page.form({ forGuests: true })
  if (!form) return
  const token = form.get('token') ?? ''
  const link = await page.links.find(token, 'verify', 'change')
  const password = link?.purpose === 'verify' ? (form.get('password') ?? '') : undefined
  const params = { token, ...(password !== undefined && { password }) }
  const done = await submit(page, 'auth.verify_email', params, confirmForm(token, link))
  if (!done) return
  if (done.awaits_approval) return tell(page, { reason: 'registration_waits' })
  const user = String(done.user)
  if (password !== undefined) return enterNew(page, user, password)
  await tell(page, { reason: 'address_confirmed', values: { user } })
}
