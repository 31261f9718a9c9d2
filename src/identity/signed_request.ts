import { hash, verify } from 'node:crypto'
import { now } from '../storage/ids.ts'
import { normalisePubkey } from '../users/normalise.ts'
import type { CachedKey, CachedKeys } from '../users/cached_keys.ts'
import { valuesOf } from '../wire/header_list.ts'
import type { EdgeRequest } from '../wire/request.ts'
import type { Refusal } from '../wire/refusal.ts'

/** Maximum length of a signed body in bytes: the door reads it into memory before it decides. */
export const maxSignedBody = 10 * 1024 * 1024

/** Seconds that the clocks of signer and verifier may differ, either way. */
export const window = 60
/** A nonce is remembered for so long after the window, because a body can be slow and the clocks of several nodes can differ. */
const marginSeconds = 240

/** The request as it arrives. Its body is read only if the signer's key is known. */
export interface Arrival {
  readonly rawHeaders: readonly string[]
  readonly body: () => Promise<Buffer | Refusal>
}

const nothing = Buffer.alloc(0)

/** The arrival of a request without a body. */
export const arrivalWithout = ({ rawHeaders }: Pick<Arrival, 'rawHeaders'>): Arrival => ({
  rawHeaders,
  body: async () => nothing,
})

/** The source of a signature: the request, or, for a connection that is already open, the key that opened it. */
export type Signing = Arrival | { readonly provenKey: string | undefined }

/** Why a request does not count as signed: one header is malformed, or the signature as a whole is not valid. */
export type SignatureProblem =
  | 'missing'
  | 'pubkey'
  | 'signature'
  | 'timestamp'
  | 'nonce'
  | 'time'
  | 'unknown_key'
  | 'wrong'
  | 'used'
  | 'inactive'

/** A request with a valid signature. */
export interface Signed {
  readonly key: CachedKey
  /** The signed bytes: only these may be forwarded. Undefined for a connection that is already open. */
  readonly body: Buffer | undefined
  /** Uses the nonce; returns false if a request has used it before. This is the last step before forwarding. */
  readonly admit: () => Promise<boolean>
}

interface Headers {
  readonly pubkey: string
  readonly signature: string
  readonly timestamp: string
  readonly nonce: string
}

const forms = {
  pubkey: /^(0[23][0-9a-f]{64}|04[0-9a-f]{128})$/i,
  signature: /^[0-9a-f]{128}$/i,
  timestamp: /^[1-9][0-9]{0,11}$/,
  nonce: /^[A-Za-z0-9_-]{16,64}$/,
}

/** Half the order of secp256k1: two values of s verify, and only the lower one counts (BIP 62). */
const halfOrder = '7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0'

const singleValue = (rawHeaders: readonly string[], name: string, form: RegExp): string | undefined => {
  const [value, ...more] = valuesOf(rawHeaders, name)
  return value !== undefined && more.length === 0 && form.test(value) ? value : undefined
}

const read = (rawHeaders: readonly string[]): Headers | SignatureProblem => {
  if (valuesOf(rawHeaders, 'x-signature').length === 0) return 'missing'
  const pubkey = singleValue(rawHeaders, 'x-signature-pubkey', forms.pubkey)
  if (pubkey === undefined) return 'pubkey'
  const signature = singleValue(rawHeaders, 'x-signature', forms.signature)
  if (signature === undefined || signature.slice(64).toLowerCase() > halfOrder) return 'signature'
  const timestamp = singleValue(rawHeaders, 'x-signature-timestamp', forms.timestamp)
  if (timestamp === undefined) return 'timestamp'
  const nonce = singleValue(rawHeaders, 'x-signature-nonce', forms.nonce)
  if (nonce === undefined) return 'nonce'
  return { pubkey, signature, timestamp, nonce }
}

/** Normalises a public key; undefined for 33 or 65 bytes that are not a point of the curve. */
const canonical = (pubkey: string): string | undefined => {
  try {
    return normalisePubkey(pubkey)
  } catch {
    return undefined
  }
}

/** The signed text: every part of the request, each on its own line. */
const signedText = (request: EdgeRequest, body: Buffer, { timestamp, nonce }: Headers): string =>
  [
    'hero-sig-v1',
    request.method,
    request.authority,
    request.target,
    hash('sha256', body, 'hex'),
    timestamp,
    nonce,
  ].join('\n')

/**
 * Verifies signed requests. Cheap checks come first, so that strangers cannot make us read bodies or verify signatures. The most
 * expensive step, storing the nonce, comes last.
 */
export class Signatures {
  readonly #keys: CachedKeys

  constructor(keys: CachedKeys) {
    this.#keys = keys
  }

  /** Returns a refusal if the body could not be read. */
  async verify(request: EdgeRequest, signing: Signing): Promise<Signed | SignatureProblem | Refusal> {
    if ('provenKey' in signing) return this.#stillKnown(signing.provenKey)
    const headers = read(signing.rawHeaders)
    if (typeof headers === 'string') return headers
    const at = Number(headers.timestamp)
    if (Math.abs(now() - at) > window) return 'time'
    const pubkey = canonical(headers.pubkey)
    const key = pubkey === undefined ? undefined : await this.#keys.find(pubkey)
    if (!key) return 'unknown_key'
    const body = await signing.body()
    if (!Buffer.isBuffer(body)) return body
    const text = Buffer.from(signedText(request, body, headers), 'latin1')
    const signature = Buffer.from(headers.signature, 'hex')
    if (!verify('sha256', text, { key: key.key, dsaEncoding: 'ieee-p1363' }, signature)) return 'wrong'
    // The body may have taken a minute to arrive.
    const present = await this.#keys.find(key.pubkey)
    if (!present) return 'unknown_key'
    if (!present.owner.may_sign_in) return 'inactive'
    const admit = () => this.#keys.useNonce(key.pubkey, headers.nonce, at + window + marginSeconds)
    return { key: present, body, admit }
  }

  /** An open connection sends no new signature: it stays open as long as its key belongs to a person who may sign in. */
  async #stillKnown(pubkey: string | undefined): Promise<Signed | SignatureProblem> {
    const key = pubkey === undefined ? undefined : await this.#keys.find(pubkey)
    if (!key?.owner.may_sign_in) return 'missing'
    return { key, body: undefined, admit: async () => true }
  }
}
