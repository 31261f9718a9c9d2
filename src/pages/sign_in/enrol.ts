import { AppError } from '../../contract/errors.ts'
import { goOn } from '../handover/at_home.ts'
import type { PageRequest } from '../page_request.ts'
import { linkOf, show } from './link_forms.ts'

// The link for the first second factor of an account, which an administrator hands over. It counts in the session of its person.

const path = '/auth/enrol'
const linkTo = (token: string) => encodeURIComponent(`${path}?token=${encodeURIComponent(token)}`)

export const enrol = async (page: PageRequest): Promise<void> => {
  const token = page.query.get('token') ?? ''
  const caller = await page.caller()
  if (!caller) return page.go(302, `/auth/login?return_to=${linkTo(token)}`)
  if (!(await linkOf(page, token, ['enrolment']))) return
  await show(page, ({ sign_in: { enrol: own } }) => ({
    title: own.title,
    lead: own.lead({ user: caller.name }),
    button: own.button,
    action: path,
    hidden: { token },
    fields: [],
  }))
}

export const postEnrol = async (page: PageRequest): Promise<void> => {
  const form = await page.form()
  if (!form) return
  const caller = await page.caller()
  if (!caller) return page.go(303, '/auth/login')
  const token = form.get('token') ?? ''
  try {
    await page.call('auth.use_enrolment_link', { token }, caller)
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    if (error.error === 'proof_required') return page.go(303, `/auth/prove?return_to=${linkTo(token)}`)
    return page.tell({
      status: 410,
      reason: 'dead_link',
      code: 'dead_link',
      link: { href: '/auth/security', name: 'your_account' },
    })
  }
  await goOn(page, '/auth/security')
}
