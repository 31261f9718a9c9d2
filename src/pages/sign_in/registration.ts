import { emailField, newPasswordField, usernameField } from '../../html/form.ts'
import type { PageRequest } from '../page_request.ts'
import { back, linkOf, show, submit, tell, toSignIn, type FoundLink, type Form } from './link_forms.ts'

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
        // Without an invitation, the page behind the mailed link asks for the password.
        ...(invite === '' ? [emailField(words, fields.email ?? '')] : [newPasswordField(words)]),
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
    const link = await linkOf(page, invite, ['invite'])
    return link && show(page, registerForm(invite, { address: link.address }))
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
    ...(invite !== '' && { invite, password: field('password') }),
  }
  const address = invite === '' ? undefined : (await page.links.find(invite, 'invite'))?.address
  const again = registerForm(invite, { ...params, ...(address !== undefined && { address }) })
  const done = await submit(page, 'auth.register', params, again)
  if (!done) return
  await tell(page, { reason: done.next === 'sign_in' ? 'account_ready' : 'check_email_to_confirm' })
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
  const params = { token, ...(link?.purpose === 'verify' && { password: form.get('password') ?? '' }) }
  const done = await submit(page, 'auth.verify_email', params, confirmForm(token, link))
  if (done) await tell(page, { reason: 'address_confirmed', values: { user: String(done.user) } })
}
