import { createCipheriv, createDecipheriv } from 'node:crypto'

const algorithm = 'aes-256-ecb'

/**
 * One address a person, which stays and which nobody can guess or read a person from: the id of the user, encrypted. One block of AES
 * is a permutation, so no two people share an address, and none has to be stored.
 */
export class PictureAddresses {
  readonly #key: Buffer

  /** `key` has 32 bytes. */
  constructor(key: Buffer) {
    this.#key = key
  }

  of(userId: string): string {
    const cipher = createCipheriv(algorithm, this.#key, null).setAutoPadding(false)
    return cipher.update(Buffer.from(userId.replaceAll('-', ''), 'hex')).toString('base64url')
  }

  /** The id that an address stands for. Any 16 bytes stand for some id; few are somebody's. */
  userOf(address: string): string | undefined {
    const block = Buffer.from(address, 'base64url')
    if (block.length !== 16 || block.toString('base64url') !== address) return undefined
    const decipher = createDecipheriv(algorithm, this.#key, null).setAutoPadding(false)
    return decipher
      .update(block)
      .toString('hex')
      .replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
  }
}
