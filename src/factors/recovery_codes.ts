import { hash, randomBytes } from 'node:crypto'

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567'

/** How many codes a user gets at a time. */
const codesPerUser = 10

/** 80 bits as four groups of four Base32 characters, without 0 and 1, which are easily mistaken. */
const newCode = (): string => {
  const characters = [...randomBytes(16)].map((byte) => alphabet[byte & 31]!).join('')
  return characters.replaceAll(/.{4}(?=.)/g, '$&-')
}

export const newCodes = (): string[] => Array.from({ length: codesPerUser }, newCode)

/** The stored hash of a code: 80 random bits need no slow hash. */
export const digestOf = (userId: string, code: string): string =>
  hash('sha256', `${userId} ${code.toLowerCase().replaceAll(/[^a-z2-7]/g, '')}`, 'hex')

export const looksLikeRecoveryCode = (text: string): boolean =>
  /^[a-z2-7]{16}$/.test(text.toLowerCase().replaceAll(/[\s-]/g, ''))
