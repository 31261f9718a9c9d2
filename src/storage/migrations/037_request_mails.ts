import { sql, type Kysely } from 'kysely'

/** Who has had a mail about which request for access. Requests about which mail was sent before stay as they are. */
export const up = async (db: Kysely<never>): Promise<void> => {
  await db.schema
    .createTable('access_request_mails')
    .addColumn('request_id', 'text', (c) => c.notNull().references('access_requests.id').onDelete('cascade'))
    .addColumn('user_id', 'text', (c) => c.notNull().references('users.id').onDelete('cascade'))
    .addPrimaryKeyConstraint('access_request_mails_key', ['request_id', 'user_id'])
    .execute()
  await sql.raw('create index access_request_mails_user on access_request_mails (user_id)').execute(db)
}
