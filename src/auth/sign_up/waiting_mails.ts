import type { Mails } from '../../mail/mails.ts'
import type { Database } from '../../storage/database.ts'
import { maySignInSql, type InvitationRow } from '../../storage/schema.ts'

/** How many administrators hear of somebody who waits, where nobody else is known to decide. */
const mostAdministrators = 50

/**
 * Tells the one who made an invitation that somebody waits for approval; if they get no mail, the administrators. Each by one mail a day,
 * which holds no text of the person who waits. Inside a transaction.
 */
export const tellWaiting = async (
  { query }: Database,
  mails: Pick<Mails, 'send'>,
  { made_by }: Pick<InvitationRow, 'made_by'>,
): Promise<void> => {
  const reached = query
    .selectFrom('users')
    .select(['email', 'display_name'])
    .where(maySignInSql())
    .where('email', 'is not', null)
    .where('email_verified_at', 'is not', null)
    .orderBy('id')
  const maker = made_by === null ? [] : await reached.where('id', '=', made_by).execute()
  const all =
    maker.length > 0 ? maker : await reached.where('is_admin', '=', 1).limit(mostAdministrators).execute()
  for (const { email, display_name: name } of all) await mails.send('registration_waiting', email!, { name })
}
