import { Type, type Static } from '../contract/schema_builder.ts'
import { shownName } from '../contract/names.ts'
import { Email, GroupSlug, Id, Named, Nullable, ShownName, Time } from '../contract/schemas.ts'
import { now } from '../storage/ids.ts'
import type { InvitationRow } from '../storage/schema.ts'

const core = {
  id: Id,
  email: Nullable(Email),
  display_name: Nullable(ShownName('The name that the person is asked to take')),
  groups: Type.Array(GroupSlug, {
    description: 'The groups that it gives, while the one who made it may change their members',
  }),
  ends_at: Nullable({ ...Time, description: 'When the accounts end that come by it' }),
  uses: Type.Integer({ description: 'How many people may come by it' }),
  used: Type.Integer({ description: 'How many have' }),
  approve: Type.Boolean({ description: 'Whether somebody must approve each of them' }),
  made_by: Type.String({ description: 'The username, or the name of the program' }),
  created_at: Time,
  expires_at: { ...Time, description: 'When the link stops working' },
  state: Type.Enum(['open', 'paused', 'used', 'ended', 'revoked'], {
    description:
      'paused: its maker may not invite people any more, so it lets nobody in until somebody sends it again (invitations.resend)',
  }),
}

export const Invitation = Named('Invitation', core)
export type Invitation = Static<typeof Invitation>

/** An invitation as it is made: the link is shown this once, or was mailed. */
export const NewInvitation = Named('NewInvitation', {
  ...core,
  link: Nullable(Type.String({ description: 'Shown this once; null if it was mailed' })),
  qr: Nullable(Type.String({ description: 'The link as a QR code, in SVG' })),
  works: Nullable(
    Type.String({ description: 'For how many people and until when the link works, in words' }),
  ),
})
export type NewInvitation = Static<typeof NewInvitation>

export const stateOf = (
  row: Pick<InvitationRow, 'uses' | 'used' | 'expires_at' | 'ends_at' | 'revoked_at'>,
  at = now(),
): Exclude<Invitation['state'], 'paused'> => {
  if (row.revoked_at !== null) return 'revoked'
  if (row.used >= row.uses) return 'used'
  // An account that would begin after its end is no use to anybody.
  return Math.min(row.expires_at, row.ends_at ?? Infinity) <= at ? 'ended' : 'open'
}

export const toInvitation = (row: InvitationRow, groups: readonly string[]): Invitation => ({
  id: row.id,
  email: row.email || null,
  display_name: row.display_name === '' ? null : shownName(row.display_name),
  groups: [...groups],
  ends_at: row.ends_at,
  uses: row.uses,
  used: row.used,
  approve: row.approve === 1,
  made_by: row.made_by_name,
  created_at: row.created_at,
  expires_at: row.expires_at,
  state: stateOf(row),
})
