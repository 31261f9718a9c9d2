import type { Database } from '../storage/database.ts'
import { now } from '../storage/ids.ts'
import { maySignIn, signInColumns } from '../storage/schema.ts'
import { PictureAddresses } from './addresses.ts'
import { generatedPicture } from './generated.ts'
import type { CleanPicture, PictureType } from './picture.ts'

/** The path below which pictures of people are. */
export const picturePath = '/auth/pictures'

/** How long the picture at an address of a provider counts as known. */
const keptSeconds = 86_400

/** The pictures of people. */
export class Pictures {
  readonly #database: Database
  readonly #addresses: PictureAddresses
  readonly #publicUrl: string

  /** `key` has 32 bytes; the addresses come from it. */
  constructor(database: Database, key: Buffer, publicUrl: string) {
    this.#database = database
    this.#addresses = new PictureAddresses(key)
    this.#publicUrl = publicUrl
  }

  /** The address of the picture of a person, with or without one of their own. */
  addressOf(userId: string): string {
    return `${this.#publicUrl}${picturePath}/${this.#addresses.of(userId)}`
  }

  /** Whether there is one that is not generated. */
  async isOwn(userId: string): Promise<boolean> {
    const row = await this.#database.query
      .selectFrom('pictures')
      .select('user_id')
      .where('user_id', '=', userId)
      .where('content', '<>', '')
      .executeTakeFirst()
    return row !== undefined
  }

  /** Whether to fetch the picture that a provider reports: nobody has chosen or removed one here, and this one is not known or a day old. */
  async isWanted(userId: string, source: string): Promise<boolean> {
    const row = await this.#database.query
      .selectFrom('pictures')
      .select(['source', 'changed_at'])
      .where('user_id', '=', userId)
      .executeTakeFirst()
    if (!row) return true
    return row.source !== '' && (row.source !== source || row.changed_at <= now() - keptSeconds)
  }

  /** The picture at the last segment of an address; undefined if it is nobody's who may sign in. */
  async at(segment: string): Promise<CleanPicture | undefined> {
    const userId = this.#addresses.userOf(segment)
    if (userId === undefined) return undefined
    const row = await this.#database.query
      .selectFrom('users')
      .leftJoin('pictures', 'pictures.user_id', 'users.id')
      .select([...signInColumns, 'pictures.type', 'pictures.content'])
      .where('users.id', '=', userId)
      .executeTakeFirst()
    if (!row || !maySignIn(row)) return undefined
    return !row.content
      ? { type: 'image/png', content: generatedPicture(segment) }
      : { type: row.type as PictureType, content: Buffer.from(row.content, 'base64') }
  }

  /** The picture of a person, if it is not generated. */
  async of(userId: string): Promise<CleanPicture | undefined> {
    const row = await this.#database.query
      .selectFrom('pictures')
      .select(['type', 'content'])
      .where('user_id', '=', userId)
      .where('content', '<>', '')
      .executeTakeFirst()
    return row && { type: row.type as PictureType, content: Buffer.from(row.content, 'base64') }
  }

  /** Stores a picture, or removes the one that is there; then none comes from a provider again. Inside a transaction. */
  async set(user_id: string, picture: CleanPicture | undefined): Promise<void> {
    const row = toRow(picture, '')
    await this.#database.query
      .insertInto('pictures')
      .values({ user_id, ...row })
      .onConflict((same) => same.column('user_id').doUpdateSet(row))
      .execute()
  }

  /** Stores what a provider reports, unless somebody has chosen here. Returns whether it did. Inside a transaction. */
  async take(user_id: string, picture: CleanPicture, source: string): Promise<boolean> {
    const { query } = this.#database
    const user = await query.selectFrom('users').select('id').where('id', '=', user_id).executeTakeFirst()
    if (!user) return false
    const row = toRow(picture, source)
    const { numInsertedOrUpdatedRows = 0n } = await query
      .insertInto('pictures')
      .values({ user_id, ...row })
      .onConflict((same) => same.column('user_id').doUpdateSet(row).where('pictures.source', '<>', ''))
      .executeTakeFirst()
    return numInsertedOrUpdatedRows > 0n
  }
}

const toRow = (picture: CleanPicture | undefined, source: string) => ({
  type: picture?.type ?? '',
  content: picture?.content.toString('base64') ?? '',
  changed_at: now(),
  source,
})
