import type { OwnGroup } from '../../groups/lent_memberships.ts'
import type { MyPlaces } from '../../identity/my_places.ts'
import type { PageRequest } from '../page_request.ts'
import type { Asking } from './ask.ts'
import { servicesPage, type ClosedPlace, type OpenPlace } from './services_view.ts'

export interface ServicesParts {
  readonly places: MyPlaces
  readonly asking: Asking
  readonly groupsOf: (userId: string) => Promise<readonly OwnGroup[]>
  /** Who gives access here, in the words of this installation; empty if nobody wrote any. */
  readonly helpText: () => Promise<string>
}

/** Shows what the signed-in person may open, and ask for: a page for people, JSON for programs. Guests are sent to sign in. */
export const services =
  ({ places, asking, groupsOf, helpText }: ServicesParts) =>
  async (page: PageRequest): Promise<void> => {
    const session = await page.session()
    const caller = session && (await page.caller())
    if (!caller) {
      if (page.navigates) return page.go(302, `/auth/login?return_to=${page.asked.path}`)
      return page.tell({ status: 401, reason: 'not_signed_in', code: 'unauthenticated' })
    }
    const impersonating = caller.on_behalf ?? null
    const found = await places.of(session)
    const groups = await groupsOf(session.user_id)
    const open = found.open.map(({ ref: _, ask_group, ...place }): OpenPlace => {
      const group = groups.find(({ slug }) => slug.toLowerCase() === ask_group?.toLowerCase())
      return { ...place, until: impersonating === null ? (group?.expires_at ?? null) : null }
    })
    // An administrator asks for nobody else.
    const standings = impersonating === null ? await asking.standings(session, found.closed) : new Map()
    const closed = found.closed.flatMap(({ ref, ask_group: _, ...place }): ClosedPlace[] => {
      const standing = standings.get(ref)
      return !standing || standing.may === 'nothing' ? [] : [{ ...place, standing }]
    })
    if (!page.navigates)
      return page.json({
        services: open,
        closed: closed.map(({ standing: { may }, ...place }) => ({ ...place, may })),
      })
    const help = await helpText()
    await page.page(200, (token, words) =>
      servicesPage(words, { place: page.asked.host, token, impersonating, open, closed, help }),
    )
  }
