import type { Flows } from './flows.ts'
import type { Rooms } from './rooms.ts'

/** What pages need to know of people besides who they are. */
export const profiles = (
  {
    attributes,
    userAttributes,
    users,
    pictures,
  }: Pick<Rooms, 'attributes' | 'userAttributes' | 'users' | 'pictures'>,
  { closedAccounts }: Pick<Flows, 'closedAccounts'>,
) => ({
  closing: async () => ({ allowed: await closedAccounts.mayClose(), days: await closedAccounts.days() }),
  pictureOf: async (userId: string) => ({
    path: new URL(pictures.addressOf(userId)).pathname,
    isOwn: await pictures.isOwn(userId),
  }),
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
})
