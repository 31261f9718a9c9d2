import type { Database } from '../storage/database.ts'
import { now } from '../storage/ids.ts'
import { maySignIn, signInColumns } from '../storage/schema.ts'
import { PictureAddresses } from './addresses.ts'
import { generatedPicture } from './generated.ts'
import type { CleanPicture, PictureType } from './picture.ts'

/** The path below which pictures of people are. */
export const picturePath = '/auth/pictures'

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

  async isOwn(userId: string): Promise<boolean> {
    const row = await this.#database.query
      .selectFrom('pictures')
      .select('user_id')
      .where('user_id', '=', userId)
      .executeTakeFirst()
    return row !== undefined
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
    return row.content === null
      ? { type: 'image/png', content: generatedPicture(segment) }
      : { type: row.type as PictureType, content: Buffer.from(row.content, 'base64') }
  }

  /** The picture that a person has given. */
  async of(userId: string): Promise<CleanPicture | undefined> {
    const row = await this.#database.query
      .selectFrom('pictures')
      .select(['type', 'content'])
      .where('user_id', '=', userId)
      .executeTakeFirst()
    return row && { type: row.type as PictureType, content: Buffer.from(row.content, 'base64') }
  }

  /** Stores a picture, or removes the one that is there. Inside a transaction. */
  async set(user_id: string, picture: CleanPicture | undefined): Promise<void> {
    const { query } = this.#database
    if (!picture) {
      await query.deleteFrom('pictures').where('user_id', '=', user_id).execute()
      return
    }
    const row = { type: picture.type, content: picture.content.toString('base64'), changed_at: now() }
    await query
      .insertInto('pictures')
      .values({ user_id, ...row })
      .onConflict((same) => same.column('user_id').doUpdateSet(row))
      .execute()
  }
}
