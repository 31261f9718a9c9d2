import { randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'

// How a token that is kept is written: a prefix that scanners for leaked secrets find, 256 random bits, and a checksum by which
// a mistyped or made-up one is told apart without asking any database.

const prefix = 'hero_'
const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
/** Characters of base 62 that 256 bits, and that 32 bits, take. */
const [longest, sum] = [43, 6]
const form = new RegExp(`^${prefix}[0-9A-Za-z]{${longest + sum}}$`)

const inBase62 = (value: bigint, length: number): string => {
  let text = ''
  for (let rest = value; text.length < length; rest /= 62n) text = alphabet[Number(rest % 62n)]! + text
  return text
}

const checksum = (text: string): string => inBase62(BigInt(crc32(text)), sum)

export const writeToken = (): string => {
  const text = prefix + inBase62(BigInt(`0x${randomBytes(32).toString('hex')}`), longest)
  return text + checksum(text)
}

/** Whether this is written as a token that is kept, with the right checksum. */
export const isWritten = (token: string): boolean =>
  form.test(token) && checksum(token.slice(0, -sum)) === token.slice(-sum)
