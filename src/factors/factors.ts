import type { UserRow } from '../storage/schema.ts'
import type { Caller } from '../contract/caller.ts'
import type { Reactions } from '../contract/reactions.ts'
import { AppError, conflict, notFound } from '../contract/errors.ts'
import type { FactorChange } from '../strings/catalogue.ts'
import type { Database } from '../storage/database.ts'
import { now } from '../storage/ids.ts'
import type { Seal } from '../secrets/seal.ts'
import type { NewPasskey, Passkeys } from './passkeys.ts'
import { digestOf, looksLikeRecoveryCode, newCodes } from './recovery_codes.ts'
import { enrolmentUri, newSecret, stepOf } from './totp.ts'

/** The kinds of second factors. */
export const factorKinds = ['totp', 'passkey', 'recovery'] as const
export type FactorKind = (typeof factorKinds)[number]

/** What changed, and the name of the passkey if it was one. */
interface Change {
  readonly what: FactorChange
  readonly name: string
}

interface Parts {
  readonly database: Database
  readonly seal: Seal
  readonly passkeys: Passkeys
  /** What authenticator apps show next to the username. */
  readonly site: () => Promise<string>
  /** Ends the sessions of a user, except one if it is given. */
  readonly endOtherSessions: (userId: string, except?: string) => Promise<unknown>
  /** Records on the account whether its user has a factor, inside the transaction. */
  readonly markFactor: (userId: string, has: boolean) => Promise<void>
  /** Clears the failed attempts of a user. */
  readonly forgetAttempts: (userId: string) => Promise<void>
  readonly reactions: Pick<Reactions, 'factorsChanged' | 'passkeyRemoved'>
}

/** Second factors of users. A user who has one must use it at every sign-in by password, mail or provider. */
export class Factors {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  get #query() {
    return this.#parts.database.query
  }

  async list(userId: string) {
    const totp = await this.#totp(userId)
    const confirmed = totp?.confirmed_at ?? null
    return {
      totp: confirmed === null ? null : { created_at: confirmed },
      passkeys: await this.#parts.passkeys.described(userId),
      recovery_codes: await this.#recoveryCodes(userId),
    }
  }

  /** The factors that the user can use now, to show to a caller who already knows the password. */
  async kinds(userId: string): Promise<FactorKind[]> {
    const { totp, passkeys, recovery_codes } = await this.list(userId)
    const has = { totp: totp !== null, passkey: passkeys.length > 0, recovery: recovery_codes > 0 }
    return factorKinds.filter((kind) => has[kind])
  }

  // Authenticator apps.

  /**
   * Creates a secret that takes effect once a code from it is entered. Replaces an earlier one that was never
   * confirmed.
   */
  async beginTotp({ id, username }: Pick<UserRow, 'id' | 'username'>) {
    if (typeof (await this.#totp(id))?.confirmed_at === 'number')
      throw conflict('There is already an authenticator app; remove it first', { reason: 'app_exists' })
    const secret = newSecret()
    const row = {
      secret_sealed: this.#parts.seal.seal(secret, sealRow(id)),
      confirmed_at: null,
      last_step: 0,
      created_at: now(),
    }
    await this.#query
      .insertInto('totp')
      .values({ user_id: id, ...row })
      .onConflict((conflict) => conflict.column('user_id').doUpdateSet(row))
      .execute()
    return { secret, uri: enrolmentUri(secret, await this.#parts.site(), username) }
  }

  /** The secret that waits for its first code. */
  async pendingTotp({ id, username }: Pick<UserRow, 'id' | 'username'>) {
    const row = await this.#totp(id)
    if (!row || row.confirmed_at !== null) return undefined
    const secret = this.#parts.seal.open(row.secret_sealed, sealRow(id))
    return { secret, uri: enrolmentUri(secret, await this.#parts.site(), username) }
  }

  /** Turns on the app: a correct first code proves that the app has the secret. */
  async confirmTotp(userId: string, code: string, by: Caller): Promise<readonly string[]> {
    const row = await this.#totp(userId)
    if (!row || row.confirmed_at !== null)
      throw conflict('Call factors.add_totp first', { reason: 'app_not_begun' })
    const step = stepOf(this.#parts.seal.open(row.secret_sealed, sealRow(userId)), code, now())
    if (step === undefined) throw wrongCode()
    await this.#query
      .updateTable('totp')
      .set({ confirmed_at: now(), last_step: step })
      .where('user_id', '=', userId)
      .execute()
    return this.#added(userId, { what: 'app_added', name: '' }, by)
  }

  async removeTotp(userId: string, by: Caller): Promise<void> {
    const { numDeletedRows } = await this.#query
      .deleteFrom('totp')
      .where('user_id', '=', userId)
      .executeTakeFirst()
    if (numDeletedRows === 0n) throw notFound('authenticator app', 'totp')
    await this.#changed(userId, { what: 'app_removed', name: '' }, by)
  }

  // Passkeys.

  async addPasskey(userId: string, name: string, attested: NewPasskey, by: Caller) {
    const id = await this.#parts.passkeys.add(userId, name, attested)
    return { id, recovery_codes: await this.#added(userId, { what: 'passkey_added', name }, by) }
  }

  async removePasskey(userId: string, id: string, by: Caller): Promise<void> {
    const name = await this.#parts.passkeys.remove(userId, id)
    await this.#parts.reactions.passkeyRemoved(userId)
    await this.#changed(userId, { what: 'passkey_removed', name }, by)
  }

  // Recovery codes, for when all other factors are lost.

  async renewRecoveryCodes(userId: string): Promise<readonly string[]> {
    if (!(await this.has(userId)))
      throw conflict('There is no second factor that recovery codes could replace', { reason: 'no_factor' })
    await this.#query.deleteFrom('recovery_codes').where('user_id', '=', userId).execute()
    const codes = newCodes()
    await this.#query
      .insertInto('recovery_codes')
      .values(codes.map((code) => ({ user_id: userId, code_hash: digestOf(userId, code) })))
      .execute()
    return codes
  }

  /** Uses a code of the app or a recovery code, inside the transaction of what it allows. Each works once. Throws unauthenticated. */
  async useCode(userId: string, code: string, by: Caller): Promise<'totp' | 'recovery'> {
    const text = code.replaceAll(/\s/g, '')
    if (looksLikeRecoveryCode(text)) {
      const { numDeletedRows } = await this.#query
        .deleteFrom('recovery_codes')
        .where('user_id', '=', userId)
        .where('code_hash', '=', digestOf(userId, text))
        .executeTakeFirst()
      if (numDeletedRows !== 1n) throw wrongCode()
      await this.#parts.reactions.factorsChanged(userId, { what: 'recovery_code_used', name: '' }, by)
      return 'recovery'
    }
    const row = await this.#totp(userId)
    if (!row || row.confirmed_at === null) throw wrongCode()
    const step = stepOf(this.#parts.seal.open(row.secret_sealed, sealRow(userId)), text, now())
    if (step === undefined) throw wrongCode()
    const { numUpdatedRows } = await this.#query
      .updateTable('totp')
      .set({ last_step: step })
      .where('user_id', '=', userId)
      .where('last_step', '<', step)
      .executeTakeFirst()
    if (numUpdatedRows !== 1n) throw wrongCode()
    return 'totp'
  }

  async has(userId: string): Promise<boolean> {
    const { totp, passkeys } = await this.list(userId)
    return totp !== null || passkeys.length > 0
  }

  /** Removes all factors, for administrators. From then on the user signs in with only a password. */
  async clear(userId: string, by: Caller): Promise<void> {
    const before = await this.has(userId)
    await this.drop(userId)
    await this.#parts.endOtherSessions(userId)
    if (before) await this.#parts.reactions.factorsChanged(userId, { what: 'cleared', name: '' }, by)
  }

  /** The same, without a word to the user and with their sessions. */
  async drop(userId: string): Promise<void> {
    await this.#parts.forgetAttempts(userId)
    await this.#query.deleteFrom('totp').where('user_id', '=', userId).execute()
    await this.#query.deleteFrom('passkeys').where('user_id', '=', userId).execute()
    await this.#mark(userId)
  }

  /** The first factor comes with recovery codes and ends the user's other sessions, which were opened without it. */
  async #added(userId: string, change: Change, by: Caller): Promise<readonly string[]> {
    const first = (await this.#recoveryCodes(userId)) === 0
    const codes = first ? await this.renewRecoveryCodes(userId) : []
    if (first) await this.#parts.endOtherSessions(userId, by.session_id)
    await this.#changed(userId, change, by)
    return codes
  }

  async #changed(userId: string, change: Change, by: Caller): Promise<void> {
    await this.#mark(userId)
    await this.#parts.reactions.factorsChanged(userId, change, by)
  }

  /** Updates the flag on the account. */
  async #mark(userId: string): Promise<void> {
    const has = await this.has(userId)
    if (!has) await this.#query.deleteFrom('recovery_codes').where('user_id', '=', userId).execute()
    await this.#parts.markFactor(userId, has)
  }

  #totp(userId: string) {
    return this.#query.selectFrom('totp').selectAll().where('user_id', '=', userId).executeTakeFirst()
  }

  async #recoveryCodes(userId: string): Promise<number> {
    const { count } = await this.#query
      .selectFrom('recovery_codes')
      .select(({ fn }) => fn.countAll<number>().as('count'))
      .where('user_id', '=', userId)
      .executeTakeFirstOrThrow()
    return Number(count)
  }
}

const sealRow = (userId: string) => `totp.${userId}`

const wrongCode = () =>
  new AppError('unauthenticated', 'This code is wrong or was already used', { reason: 'wrong_code' })
