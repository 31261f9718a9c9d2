import { formPage } from '../../html/form.ts'
import type { HomeParts } from '../handover/at_home.ts'
import type { PageRequest } from '../page_request.ts'
import { farewell } from './farewell.ts'
import { onwardPath } from '../return_path.ts'

/** Where a person continues as somebody else. `switch` makes an identity provider ask which account to use. */
const onward = (page: PageRequest): string => {
  const service = page.query.get('service')
  const path =
    service === null
      ? page.query.get('return_to')
      : `/auth/login?service=${encodeURIComponent(service)}&switch=1`
  return onwardPath(page, path)
}

/** The address of a service is that of the sign-in page itself. */
const signInFor = (next: string): string =>
  next.startsWith('/auth/login?') ? next : `/auth/login?return_to=${encodeURIComponent(next)}`

/** Asks whether to sign out, to sign in as somebody else. Opening the page signs nobody out. */
export const switchAccount = async (page: PageRequest): Promise<void> => {
  const caller = await page.caller()
  const next = onward(page)
  if (!caller) return page.go(302, signInFor(next))
  const user = caller.on_behalf ?? caller.name
  await page.page(200, (token, words) => {
    const { title, lead, button, cancel } = words.sign_in.switch_account
    return formPage(words, {
      place: page.asked.host,
      token,
      title,
      lead: lead({ user }),
      action: '/auth/switch',
      hidden: { return_to: next },
      fields: [],
      button: button({ user }),
      links: [{ href: '/auth/me', text: cancel }],
    })
  })
}

export const postSwitchAccount = async (page: PageRequest, { leftHosts }: HomeParts): Promise<void> => {
  const form = await page.form({ forGuests: true })
  if (!form) return
  const caller = await page.caller()
  const next = onwardPath(page, form.get('return_to'))
  const opened = caller?.session_id === undefined ? [] : await leftHosts.openedBy(caller.session_id)
  if (caller) await page.call('auth.logout', {}, caller)
  await farewell(page, 'switch', signInFor(next), opened)
}
