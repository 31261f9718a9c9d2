import { hash } from 'node:crypto'
import { conflict, invalidParams, notFound } from '../contract/errors.ts'
import { uploadedIn } from '../contract/icons.ts'
import type { Database } from '../storage/database.ts'
import { now } from '../storage/ids.ts'
import type { CleanPicture, PictureType } from './picture.ts'

/** The path below which uploaded icons are. */
export const iconPath = '/auth/icons'

const maxIcons = 500

/** Pictures for services and applications, named by their content: the same picture is there once. */
export class Icons {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  async list(): Promise<{ items: { icon: string; type: string; added_at: number }[] }> {
    const rows = await this.#database.query
      .selectFrom('icons')
      .select(['id', 'type', 'added_at'])
      .orderBy('id')
      .execute()
    return { items: rows.map(({ id, ...row }) => ({ icon: `picture:${id}`, ...row })) }
  }

  async add({ type, content }: CleanPicture): Promise<{ icon: string; type: string; added_at: number }> {
    const id = hash('sha256', content, 'hex').slice(0, 32)
    const added_at = now()
    return this.#database.write(async () => {
      const { query } = this.#database
      const { count } = await query
        .selectFrom('icons')
        .select((eb) => eb.fn.countAll<number>().as('count'))
        .executeTakeFirstOrThrow()
      if (Number(count) >= maxIcons) throw invalidParams('picture', `at most ${maxIcons} icons`)
      await query
        .insertInto('icons')
        .values({ id, type, content: content.toString('base64'), added_at })
        .onConflict((same) => same.column('id').doNothing())
        .execute()
      return { icon: `picture:${id}`, type, added_at }
    })
  }

  /** Throws conflict while a route or a client shows it. */
  async remove(icon: string): Promise<null> {
    return this.#database.write(async () => {
      const { query } = this.#database
      for (const table of ['routes', 'clients'] as const)
        if (await query.selectFrom(table).select('id').where('icon', '=', icon).executeTakeFirst())
          throw conflict(`Some of the ${table} still show this icon`)
      const { numDeletedRows } = await query
        .deleteFrom('icons')
        .where('id', '=', uploadedIn(icon) ?? '')
        .executeTakeFirst()
      if (numDeletedRows === 0n) throw notFound('icon', icon)
      return null
    })
  }

  /** Those of these icons that are there; names of our own set are not among them. */
  async uploaded(icons: readonly (string | null)[]): Promise<ReadonlySet<string>> {
    const ids = [...new Set(icons)].flatMap((icon) => uploadedIn(icon) ?? [])
    if (ids.length === 0) return new Set()
    const rows = await this.#database.query.selectFrom('icons').select('id').where('id', 'in', ids).execute()
    return new Set(rows.map(({ id }) => `picture:${id}`))
  }

  async at(id: string): Promise<CleanPicture | undefined> {
    const row = await this.#database.query
      .selectFrom('icons')
      .select(['type', 'content'])
      .where('id', '=', id)
      .executeTakeFirst()
    return row && { type: row.type as PictureType, content: Buffer.from(row.content, 'base64') }
  }
}
