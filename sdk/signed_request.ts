import { createHash, createPrivateKey, createPublicKey, randomBytes, sign, type KeyObject } from 'node:crypto'

/** A secp256k1 private key: PEM (PKCS #8 or SEC 1), 32 bytes in hex, or a KeyObject. */
export type SigningKey = string | KeyObject

/** The request as it will be sent. */
export type Signable = {
  readonly method: string
  /** The bytes of the body as they are sent, before any Transfer-Encoding. A missing body counts as empty. */
  readonly body?: string | Uint8Array | undefined
  readonly privateKey: SigningKey
  /** Unix time in seconds. Default: now. The request is valid for 60 seconds before and after it. */
  readonly now?: number
  /** 16 to 64 URL-safe characters, never used before with this key. Default: random. */
  readonly nonce?: string
} & (
  | { readonly url: string | URL }
  | {
      /** The Host header: the name, and the port if the client sends one. */
      readonly host: string
      /** Path and query, byte for byte as they are sent. */
      readonly path: string
    }
)

/** The four headers of a signed request. */
export type SignatureHeaders = Record<
  'X-Signature-Pubkey' | 'X-Signature' | 'X-Signature-Timestamp' | 'X-Signature-Nonce',
  string
>

const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
const toBigInt = (bytes: Uint8Array) => BigInt(`0x${Buffer.from(bytes).toString('hex')}`)

const readKey = (key: SigningKey): KeyObject => {
  if (typeof key !== 'string') return key
  if (!/^[0-9a-f]{64}$/i.test(key)) return createPrivateKey(key)
  // RFC 5915: an ECPrivateKey of version 1 with the named curve secp256k1.
  const der = Buffer.from(`302e0201010420${key}a00706052b8104000a`, 'hex')
  return createPrivateKey({ key: der, format: 'der', type: 'sec1' })
}

/** The public key of a private key in the form for `users.keys.add`: 33 bytes in hex. */
export const publicKeyOf = (privateKey: SigningKey): string => {
  const { crv, x = '', y = '' } = createPublicKey(readKey(privateKey)).export({ format: 'jwk' })
  if (crv !== 'secp256k1') throw new TypeError('the key must be on the curve secp256k1')
  const odd = Buffer.from(y, 'base64url').at(-1)! & 1
  return (odd ? '03' : '02') + Buffer.from(x, 'base64url').toString('hex')
}

/** The host as the verifier reads it: in lower case, without a final dot, with the port only if it is sent. */
const canonicalHost = (host: string) => host.toLowerCase().replace(/\.(?=$|:[0-9]+$)/, '')

const placeOf = (request: Signable): { host: string; path: string } => {
  if (!('url' in request)) return request
  const { host, pathname, search } = new URL(request.url)
  return { host, path: pathname + search }
}

/** Both s and its negative verify. Only the lower one is accepted (BIP 62). */
const withLowS = (signature: Buffer): Buffer => {
  const s = toBigInt(signature.subarray(32))
  if (s <= order / 2n) return signature
  const low = (order - s).toString(16).padStart(64, '0')
  return Buffer.concat([signature.subarray(0, 32), Buffer.from(low, 'hex')])
}

/**
 * Signs a request for a route with `auth_mode` signature, and returns the headers to add. Each result is valid for one request:
 * sign again to repeat it.
 *
 * The signed text has these lines, separated by line feeds: `hero-sig-v1`, the method, the host (as in the Host header, in
 * lower case, with the port if one is sent, without a final dot), path and query as they are sent, SHA-256 of the body in
 * hex, the timestamp, and the nonce.
 *
 * ```ts
 * const headers = signRequest({ method: 'POST', url, body, privateKey })
 * await fetch(url, { method: 'POST', body, headers })
 * ```
 */
export const signRequest = (request: Signable): SignatureHeaders => {
  const key = readKey(request.privateKey)
  const pubkey = publicKeyOf(key)
  const { host, path } = placeOf(request)
  const timestamp = String(request.now ?? Math.floor(Date.now() / 1000))
  const nonce = request.nonce ?? randomBytes(18).toString('base64url')
  const body = createHash('sha256')
    .update(request.body ?? '')
    .digest('hex')
  const lines = [
    'hero-sig-v1',
    request.method.toUpperCase(),
    canonicalHost(host),
    path,
    body,
    timestamp,
    nonce,
  ]
  const signature = sign('sha256', Buffer.from(lines.join('\n')), { key, dsaEncoding: 'ieee-p1363' })
  return {
    'X-Signature-Pubkey': pubkey,
    'X-Signature': withLowS(signature).toString('hex'),
    'X-Signature-Timestamp': timestamp,
    'X-Signature-Nonce': nonce,
  }
}
