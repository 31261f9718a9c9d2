import { randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'

// The format of personal tokens: a prefix that scanners for leaked secrets find, 256 random bits, and a checksum that
// detects a mistyped or forged token without a database query.

const prefix = 'hero_'
const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
/** Base-62 characters needed for 256 bits, and for 32 bits. */
const [secretLength, checksumLength] = [43, 6]
const form = new RegExp(`^${prefix}[0-9A-Za-z]{${secretLength + checksumLength}}$`)

const inBase62 = (value: bigint, length: number): string => {
  let text = ''
  for (let rest = value; text.length < length; rest /= 62n) text = alphabet[Number(rest % 62n)]! + text
  return text
}

const checksum = (text: string): string => inBase62(BigInt(crc32(text)), checksumLength)

export const writeToken = (): string => {
  const text = prefix + inBase62(BigInt(`0x${randomBytes(32).toString('hex')}`), secretLength)
  return text + checksum(text)
}

/** Whether this has the format of a personal token, with the right checksum. */
export const looksLikePersonalToken = (token: string): boolean =>
  form.test(token) && checksum(token.slice(0, -checksumLength)) === token.slice(-checksumLength)
