import { MyPlaces } from '../identity/my_places.ts'
import type { OwnGroup } from '../groups/lent_memberships.ts'
import type { ServicesParts } from '../pages/account/services.ts'
import type { Flows } from './flows.ts'
import type { Ground, Rooms } from './rooms.ts'

/** The groups of a person, as services see them. That of administrators follows is_admin, and is none of theirs. */
const groupsOf =
  ({ claims, lentMemberships }: Pick<Rooms, 'claims' | 'lentMemberships'>) =>
  async (userId: string): Promise<readonly OwnGroup[]> => {
    const held = (await claims.of(userId)) ?? []
    const slugs = held.flatMap((claim) => /^groups\.([^.]+)$/.exec(claim)?.[1] ?? [])
    return lentMemberships.of(
      userId,
      slugs.filter((slug) => slug !== 'admin'),
    )
  }

/** What the page of the services of a person needs. */
export const myServices = ({
  home,
  rooms,
  flows: { judge, rules, requests },
}: Pick<Ground, 'home'> & { readonly rooms: Rooms; readonly flows: Flows }): ServicesParts => ({
  places: new MyPlaces({
    home,
    routes: () => rooms.routes.table(),
    applications: () => rooms.clientLists.withStart(),
    judge,
    rules,
  }),
  asking: requests,
  uploadedIcons: (icons) => rooms.icons.uploaded(icons),
  groupsOf: groupsOf(rooms),
  helpText: () => rooms.settings.value('help_text'),
})

/** What pages need to know of people besides who they are. */
export const profiles = (
  rooms: Rooms,
  { admission, closedAccounts, recovery }: Pick<Flows, 'admission' | 'closedAccounts' | 'recovery'>,
) => {
  const { attributes, userAttributes, users, pictures, settings } = rooms
  return {
    groupsOf: groupsOf(rooms),
    requestDays: () => settings.value('request_days'),
    closing: async () => ({ allowed: await closedAccounts.mayClose(), days: await closedAccounts.days() }),
    pictureOf: async (userId: string) => ({
      path: new URL(pictures.addressOf(userId)).pathname,
      isOwn: await pictures.isOwn(userId),
    }),
    invitation: async (token: string) => {
      const row = await admission.open(token)
      return (
        row && {
          email: row.email,
          display_name: row.display_name,
          approve: row.approve === 1,
          confirms: (await settings.value('smtp_host')) !== '',
        }
      )
    },
    recoveryOf: (userId: string) => recovery.lastOf(userId),
    endOf: async (userId: string) => (await users.get({ id: userId })).ends_at,
    attributes: async () => (await attributes.list()).items,
    zoneOf: async (userId: string) => {
      const { zoneinfo } = await userAttributes.of(userId)
      return typeof zoneinfo === 'string' ? zoneinfo : undefined
    },
    noteZone: async (username: string, zone: string) => {
      const user = await users.find(username)
      if (user)
        await userAttributes.setIfMissing(
          user.id,
          'zoneinfo',
          zone.replaceAll('%2F', '/').replaceAll('%2B', '+'),
        )
    },
  }
}
