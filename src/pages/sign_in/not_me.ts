import type { NoticeLinks, ReportedEvent } from '../../auth/notice_links.ts'
import { AppError } from '../../contract/errors.ts'
import { formPage } from '../../html/form.ts'
import type { Refusal } from '../../wire/refusal.ts'
import type { PageRequest } from '../page_request.ts'

// The page behind "This wasn't me" in a security notice. Opening it changes nothing, because programs open links too.

const show = (page: PageRequest, token: string, { address, at }: ReportedEvent): Promise<void> =>
  page.page(200, (form, words) => {
    const { title, lead, button } = words.sign_in.not_me
    const place = page.asked.host
    const texts = { title, lead: lead({ address, at }), button }
    return formPage(words, {
      ...texts,
      place,
      token: form,
      action: '/auth/not_me',
      hidden: { token },
      fields: [],
    })
  })

export const notMe = async (page: PageRequest, links: Pick<NoticeLinks, 'find'>): Promise<void> => {
  const token = page.query.get('token') ?? ''
  const event = await links.find(token)
  if (!event) return page.tell(deadLink)
  await show(page, token, event)
}

export const postNotMe = async (page: PageRequest): Promise<void> => {
  const form = await page.form({ forGuests: true })
  if (!form) return
  let reported
  try {
    // Who is signed in here plays no part in it: the link alone says whose account it is.
    reported = (await page.call('auth.not_me', { token: form.get('token') ?? '' }, page.guest())) as {
      readonly user: string
      readonly address_changed: boolean
    }
  } catch (error) {
    if (!(error instanceof AppError) || !['unauthenticated', 'invalid_params'].includes(error.error))
      throw error
    return page.tell(deadLink)
  }
  const { user, address_changed } = reported
  page.tell({
    status: 200,
    code: 'ok',
    reason: address_changed ? 'ended_at_old_address' : 'ended_everywhere',
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
