import type { MyPlaces } from '../../identity/my_places.ts'
import type { PageRequest } from '../page_request.ts'
import { servicesPage } from './services_view.ts'

export interface ServicesParts {
  readonly places: MyPlaces
  /** Who gives access here, in the words of this installation; empty if nobody wrote any. */
  readonly helpText: () => Promise<string>
}

/** Shows what the signed-in person may open: a page for people, JSON for programs. Guests are sent to sign in. */
export const services =
  ({ places, helpText }: ServicesParts) =>
  async (page: PageRequest): Promise<void> => {
    const session = await page.session()
    const caller = session && (await page.caller())
    if (!caller) {
      if (page.navigates) return page.go(302, `/auth/login?return_to=${page.asked.path}`)
      return page.tell({ status: 401, reason: 'not_signed_in', code: 'unauthenticated' })
    }
    const open = await places.of(session)
    if (!page.navigates) return page.json({ services: open })
    const impersonating = caller.on_behalf ?? null
    const help = await helpText()
    await page.page(200, (token, words) =>
      servicesPage(words, { place: page.asked.host, token, impersonating, places: open, help }),
    )
  }
