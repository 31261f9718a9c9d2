import type { Intrusions } from '../../auth/not_me/intrusions.ts'
import { AppError } from '../../contract/errors.ts'
import { formPage } from '../../html/form.ts'
import type { Refusal } from '../../wire/refusal.ts'
import type { PageRequest } from '../page_request.ts'

// The page behind "This wasn't me" in a security notice. Opening it changes nothing, because programs open links too.

export const notMe = async (page: PageRequest, intrusions: Pick<Intrusions, 'find'>): Promise<void> => {
  const token = page.query.get('token') ?? ''
  const event = await intrusions.find(token)
  if (!event) return page.tell(deadLink)
  const { address, at, fate } = event
  if (fate === 'of_another') return page.tell(ofAnother(address))
  await page.page(200, (form, words) => {
    const { title, lead, button, restore } = words.sign_in.not_me
    return formPage(words, {
      title,
      ...(fate === 'restored'
        ? { lead: restore.lead({ address, at }), button: restore.button }
        : { lead: lead({ address, at }), button }),
      place: page.asked.host,
      token: form,
      action: '/auth/not_me',
      hidden: { token },
      fields: [],
    })
  })
}

export const postNotMe = async (page: PageRequest, intrusions: Pick<Intrusions, 'find'>): Promise<void> => {
  const form = await page.form({ forGuests: true })
  if (!form) return
  const token = form.get('token') ?? ''
  let reported
  try {
    // Who is signed in here plays no part in it: the link alone says whose account it is.
    reported = (await page.call('auth.not_me', { token }, page.guest())) as {
      readonly user: string
      readonly address_changed: boolean
      readonly address_restored: boolean
    }
  } catch (error) {
    if (
      !(error instanceof AppError) ||
      !['unauthenticated', 'invalid_params', 'conflict'].includes(error.error)
    )
      throw error
    const event = error.error === 'conflict' ? await intrusions.find(token) : undefined
    return page.tell(event ? ofAnother(event.address) : deadLink)
  }
  const { user, address_changed, address_restored } = reported
  page.tell({
    status: 200,
    code: 'ok',
    reason: address_restored
      ? 'address_restored'
      : address_changed
        ? 'ended_at_old_address'
        : 'ended_everywhere',
    values: { user },
    link: address_changed
      ? { href: '/auth/login', name: 'sign_in' }
      : { href: '/auth/reset', name: 'new_password' },
  })
}

const deadLink: Refusal = {
  status: 410,
  reason: 'dead_link',
  code: 'dead_link',
  link: { href: '/auth/login', name: 'sign_in' },
}

const ofAnother = (address: string): Refusal => ({
  status: 409,
  reason: 'address_of_another',
  values: { address },
  code: 'conflict',
})
