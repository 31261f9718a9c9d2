import { randomInt } from 'node:crypto'
import type { ExpressionBuilder, ExpressionWrapper, SqlBool } from 'kysely'
import { AppError } from '../contract/errors.ts'
import { digest } from '../secrets/digest.ts'
import type { Database } from '../storage/database.ts'
import { now } from '../storage/ids.ts'
import type { Schema } from '../storage/schema.ts'
import type { Purpose } from './one_time_token.ts'

/** Consonants: they spell no words, and none of them looks like a digit (RFC 8628 section 6.1). */
const letters = 'BCDFGHJKLMNPQRSTVWXZ'
const length = 8

/** Seconds for which a code works. */
export const codeLifetimeSeconds = 600
/** How often one code may be tried. */
const maxCodeTries = 5

/** A code from a mail, and the secret of 256 bits that the browser keeps that asked for it. */
export interface MailedCode {
  readonly code: string
  readonly browser_secret: string
}

/** What opens a mailed link: its token, or the code beside it. */
export type LinkKey = string | MailedCode

/** 34 bits. */
export const newCode = (): string => Array.from({ length }, () => letters[randomInt(letters.length)]).join('')

/** The code as a person reads it. */
export const shownCode = (code: string): string => `${code.slice(0, 4)}-${code.slice(4)}`

/** What a person types: capitals, spaces and dashes do not matter. */
const readCode = (typed: string): string => typed.toUpperCase().replaceAll(/[^A-Z0-9]/g, '')

export const codeHash = ({ code, browser_secret }: MailedCode): string =>
  digest(`${readCode(code)} ${browser_secret}`)

/** Recognises the browser, and tells nobody its secret. */
export const browserHash = (browserSecret: string): string => digest(`mailed code ${browserSecret}`)

/** The row of one_time_tokens that a key opens. A code opens it for a few minutes only. */
export const openedBy =
  (key: LinkKey) =>
  (
    where: ExpressionBuilder<Schema, 'one_time_tokens'>,
  ): ExpressionWrapper<Schema, 'one_time_tokens', SqlBool> =>
    typeof key === 'string'
      ? where('token_hash', '=', digest(key))
      : where.and([where('code_hash', '=', codeHash(key)), where('code_until', '>', now())])

/**
 * Counts one try of a code, and returns where the mail went that this browser waits for; undefined if there is none, or if its code
 * was tried too often. Call it before the code is judged: the transaction is its own, so every parallel try counts.
 */
export const countTry = async (
  database: Database,
  browserSecret: string,
  purpose: Purpose,
): Promise<{ readonly user_id: string | null; readonly address: string } | undefined> => {
  const waiting = await database.write(() =>
    database.query
      .updateTable('one_time_tokens')
      .set(({ eb }) => ({ code_tries: eb('code_tries', '+', 1) }))
      .where('code_browser', '=', browserHash(browserSecret))
      .where('purpose', '=', purpose)
      .where('code_tries', '<', maxCodeTries)
      .where('code_until', '>', now())
      .returning(['user_id', 'address'])
      .execute(),
  )
  // A browser waits for one mail. One secret for several addresses would try a guess on all of them, and count it for one.
  return waiting.length === 1 ? waiting[0] : undefined
}

/** The refusal of a code. It does not reveal why. */
export const wrongCode = () =>
  new AppError('unauthenticated', 'This code is wrong, too old, or was asked for in another browser', {
    reason: 'wrong_mailed_code',
  })
