import type { Mails } from '../mail/mails.ts'
import type { Database } from '../storage/database.ts'
import { maySignInSql, type AccessRequestRow } from '../storage/schema.ts'

/** How many people get the mail about one request. */
const maxDeciders = 50

interface Parts {
  readonly database: Database
  readonly mails: Pick<Mails, 'send'>
  readonly languageOf: (userId: string) => Promise<string | undefined>
  /** Whether only proxy.groups.write adds members to a group. */
  readonly asksProof: (groupId: string) => Promise<boolean>
  readonly home: string
}

/** Mails to those who decide and to those who asked. They go to proved addresses only, and hold no text of the person who asks. */
export class AskMails {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /**
   * Tells those who may decide about a request: each once, and each by at most one such mail an hour about all requests. Returns
   * whether everybody was told. Inside a transaction.
   */
  async tellDeciders(
    request: Pick<AccessRequestRow, 'id' | 'group_id' | 'user_id'> & { readonly user: string },
    title: string,
  ): Promise<boolean> {
    const { mails, languageOf, home } = this.#parts
    const told = await this.#told(request.id)
    let all = true
    for (const { id, email, display_name } of await this.#deciders(request)) {
      if (told.has(id)) continue
      const language = await languageOf(id)
      const facts = { name: display_name, by: request.user, about: title, language }
      const sent = await mails.send('access_requested', email!, { ...facts, link: `${home}/auth/groups` })
      if (sent) await this.#remember(request.id, id)
      all &&= sent
    }
    return all
  }

  /** Those who have had a mail about a request. */
  async #told(request_id: string): Promise<ReadonlySet<string>> {
    const rows = this.#parts.database.query.selectFrom('access_request_mails').select('user_id')
    return new Set((await rows.where('request_id', '=', request_id).execute()).map(({ user_id }) => user_id))
  }

  async #remember(request_id: string, user_id: string): Promise<void> {
    await this.#parts.database.query
      .insertInto('access_request_mails')
      .values({ request_id, user_id })
      .execute()
  }

  /** Tells the person who asked. `address` is where the place begins. */
  async tellAsker(
    userId: string,
    decision: { readonly until: number | null } | { readonly answer: string },
    { title, address }: { readonly title: string; readonly address: string | null },
  ): Promise<void> {
    const { database, mails, languageOf, home } = this.#parts
    const user = await database.query
      .selectFrom('users')
      .select(['email', 'email_verified_at', 'display_name'])
      .where('id', '=', userId)
      .executeTakeFirst()
    if (!user?.email || user.email_verified_at === null) return
    const facts = { name: user.display_name, about: title, language: await languageOf(userId) }
    if ('answer' in decision)
      await mails.send('access_refused', user.email, { ...facts, said: decision.answer })
    else
      await mails.send('access_approved', user.email, {
        ...facts,
        until: decision.until,
        link: address ?? `${home}/auth/services`,
      })
  }

  /** Administrators of the group, and those of hero_proxy, who hold proxy.groups.write. Nobody decides about themselves. */
  async #deciders({ group_id, user_id }: Pick<AccessRequestRow, 'group_id' | 'user_id'>) {
    const { database, asksProof } = this.#parts
    const ofGroup = !(await asksProof(group_id))
    return database.query
      .selectFrom('users')
      .select(['users.id', 'users.email', 'users.display_name'])
      .where(maySignInSql())
      .where('users.email', 'is not', null)
      .where('users.email_verified_at', 'is not', null)
      .where('users.id', '!=', user_id)
      .where(({ or, eb, exists, selectFrom }) =>
        or([
          eb('users.is_admin', '=', 1),
          ...(ofGroup
            ? [
                exists(
                  selectFrom('group_admins')
                    .select('group_admins.user_id')
                    .whereRef('group_admins.user_id', '=', 'users.id')
                    .where('group_admins.group_id', '=', group_id),
                ),
              ]
            : []),
        ]),
      )
      .orderBy('users.is_admin')
      .orderBy('users.id')
      .limit(maxDeciders)
      .execute()
  }
}
