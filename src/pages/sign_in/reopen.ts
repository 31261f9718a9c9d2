import { AppError } from '../../contract/errors.ts'
import { formPage } from '../../html/form.ts'
import type { Refusal } from '../../wire/refusal.ts'
import type { PageRequest } from '../page_request.ts'
import { linkOf } from './link_forms.ts'

// The page behind the link that takes the deletion of an account back. Opening it changes nothing, because programs open links too.

export const reopen = async (page: PageRequest): Promise<void> => {
  const token = page.query.get('token') ?? ''
  if (!(await linkOf(page, token, ['reopen']))) return
  await page.page(200, (form, words) =>
    formPage(words, {
      ...words.sign_in.reopen,
      place: page.asked.host,
      token: form,
      action: '/auth/reopen',
      hidden: { token },
      fields: [],
    }),
  )
}

export const postReopen = async (page: PageRequest): Promise<void> => {
  const form = await page.form({ forGuests: true })
  if (!form) return
  try {
    await page.call('auth.reopen_account', { token: form.get('token') ?? '' }, page.guest())
  } catch (error) {
    if (!(error instanceof AppError) || !['unauthenticated', 'invalid_params'].includes(error.error))
      throw error
    return page.tell(deadLink)
  }
  page.tell(reopened)
}

const signInLink = { href: '/auth/login', name: 'sign_in' } as const
const deadLink: Refusal = { status: 410, reason: 'dead_link', code: 'dead_link', link: signInLink }
const reopened: Refusal = { status: 200, reason: 'account_reopened', code: 'ok', link: signInLink }
