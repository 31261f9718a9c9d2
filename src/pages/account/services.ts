import type { OwnGroup } from '../../groups/lent_memberships.ts'
import { uploadedIn } from '../../contract/icons.ts'
import type { MyPlaces } from '../../identity/my_places.ts'
import type { PageRequest } from '../page_request.ts'
import type { Asking } from './ask.ts'
import { servicesPage, type ClosedPlace, type OpenPlace } from './services_view.ts'

export interface ServicesParts {
  readonly places: MyPlaces
  readonly asking: Asking
  /** Those of these icons that somebody uploaded and nobody removed. */
  readonly uploadedIcons: (icons: readonly (string | null)[]) => Promise<ReadonlySet<string>>
  readonly groupsOf: (userId: string) => Promise<readonly OwnGroup[]>
  /** Who gives access here, in the words of this installation; empty if nobody wrote any. */
  readonly helpText: () => Promise<string>
}

/** Shows what the signed-in person may open, and ask for: a page for people, JSON for programs. Guests are sent to sign in. */
export const services =
  ({ places, asking, uploadedIcons, groupsOf, helpText }: ServicesParts) =>
  async (page: PageRequest): Promise<void> => {
    const session = await page.session()
    const caller = session && (await page.caller())
    if (!caller) {
      if (page.navigates) return page.go(302, `/auth/login?return_to=${page.asked.path}`)
      return page.tell({ status: 401, reason: 'not_signed_in', code: 'unauthenticated' })
    }
    const impersonating = caller.on_behalf ?? null
    const found = await withIcons(await places.of(session), uploadedIcons)
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

type Places = Awaited<ReturnType<MyPlaces['of']>>

/** An icon that is not there any more shows nothing in a browser, so the place has none. */
const withIcons = async (
  { open, closed }: Places,
  uploadedIcons: ServicesParts['uploadedIcons'],
): Promise<Places> => {
  const there = await uploadedIcons([...open, ...closed].map(({ icon }) => icon))
  const shown = <P extends Places['open'][number]>(place: P): P =>
    uploadedIn(place.icon) === undefined || there.has(place.icon!) ? place : { ...place, icon: null }
  return { open: open.map(shown), closed: closed.map(shown) }
}
