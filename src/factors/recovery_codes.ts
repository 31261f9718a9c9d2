import { hash, randomBytes } from 'node:crypto'

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567'

/** How many a person gets at a time. */
const count = 10

/** 80 bits, as four times four characters of Base32: no 0 and no 1 to mistake. */
const newCode = (): string => {
  const characters = [...randomBytes(16)].map((byte) => alphabet[byte & 31]!).join('')
  return characters.replaceAll(/.{4}(?=.)/g, '$&-')
}

export const newCodes = (): string[] => Array.from({ length: count }, newCode)

/** What is kept of a code: 80 random bits need no slow hash. */
export const digestOf = (userId: string, code: string): string =>
  hash('sha256', `${userId} ${code.toLowerCase().replaceAll(/[^a-z2-7]/g, '')}`, 'hex')

export const looksLikeCode = (text: string): boolean =>
  /^[a-z2-7]{16}$/.test(text.toLowerCase().replaceAll(/[\s-]/g, ''))
