import { createHash, randomBytes } from 'node:crypto'
import { secp256k1 } from '@noble/curves/secp256k1.js'

export const host = 'signed.localhost'
export const seconds = () => Math.floor(Date.now() / 1000)
const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n

/** The parts of a signed request, so that a test can change one after signing. Signed with a library other than the daemon's. */
export interface Draft {
  readonly method: string
  readonly host: string
  readonly path: string
  readonly body: string
  readonly timestamp: string
  readonly nonce: string
  readonly version: string
}
export const draft = (): Draft => ({
  method: 'POST',
  host,
  path: '/notes?tag=a%20b&x=1',
  body: '{"note":"hello"}',
  timestamp: String(seconds()),
  nonce: randomBytes(16).toString('base64url'),
  version: 'hero-sig-v1',
})

export const secret = randomBytes(32)
export const pubkey = Buffer.from(secp256k1.getPublicKey(secret)).toString('hex')

export const signDraft = (text: Draft, key: Uint8Array = secret): string => {
  const { version, method, path, body, timestamp, nonce } = text
  const digest = createHash('sha256').update(body).digest('hex')
  const lines = [version, method, text.host, path, digest, timestamp, nonce].join('\n')
  return Buffer.from(secp256k1.sign(Buffer.from(lines), key)).toString('hex')
}

export const headersOf = (
  { timestamp, nonce }: Draft,
  signature: string,
  key = pubkey,
): [string, string][] => [
  ['X-Signature-Pubkey', key],
  ['X-Signature', signature],
  ['X-Signature-Timestamp', timestamp],
  ['X-Signature-Nonce', nonce],
]

/** The other signature of the same text that plain ECDSA accepts: (r, n - s). */
export const highS = (signature: string): string =>
  signature.slice(0, 64) + (order - BigInt(`0x${signature.slice(64)}`)).toString(16).padStart(64, '0')
