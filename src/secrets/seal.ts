import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hkdfSync,
  randomBytes,
  type KeyObject,
} from 'node:crypto'

/**
 * Encrypts secrets at rest: AES-256-GCM with a key derived from the master secret by HKDF-SHA-256 (RFC 5869). `row`
 * names the place where the secret is stored and is the associated data: a sealed value that was moved to another row
 * does not open.
 */
export class Seal {
  readonly #key: KeyObject
  readonly #secret: string

  constructor(secret: string) {
    this.#secret = secret
    this.#key = createSecretKey(this.derive('seal v1'))
  }

  /** Derives 32 bytes for one purpose from the master secret. */
  derive(purpose: string): Buffer {
    return Buffer.from(hkdfSync('sha256', this.#secret, 'hero_proxy', purpose, 32))
  }

  /**
   * HMAC-SHA-256 with the master secret itself: only for tokens of the old hero_auth, which anyone with the secret can
   * create.
   */
  legacyHmac(text: string): Buffer {
    return createHmac('sha256', this.#secret).update(text).digest()
  }

  seal(text: string, row: string): string {
    const nonce = randomBytes(12)
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce).setAAD(Buffer.from(row))
    const sealed = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()])
    return `v1.${sealed.toString('base64url')}`
  }

  /** Throws if the master secret, the row or a single character differs. */
  open(sealed: string, row: string): string {
    const bytes = Buffer.from(sealed.slice(3), 'base64url')
    // A decoder skips what does not belong to base64url and a last bit or two: only one text is the sealed value.
    if (sealed !== `v1.${bytes.toString('base64url')}` || bytes.length < 28)
      throw new Error(`${row}: not a sealed value`)
    const decipher = createDecipheriv('aes-256-gcm', this.#key, bytes.subarray(0, 12), { authTagLength: 16 })
    decipher.setAAD(Buffer.from(row)).setAuthTag(bytes.subarray(-16))
    return decipher.update(bytes.subarray(12, -16), undefined, 'utf8') + decipher.final('utf8')
  }
}
