import { hash, verify } from 'node:crypto'
import { now } from '../storage/ids.ts'
import { normalisePubkey } from '../users/normalise.ts'
import type { CachedKey, CachedKeys } from '../users/cached_keys.ts'
import { valuesOf } from '../wire/header_list.ts'
import type { EdgeRequest } from '../wire/request.ts'
import type { Refusal } from '../wire/refusal.ts'

/** The body of a request that is signed holds this many bytes at most: it is read before anything is decided. */
export const maxSignedBody = 10 * 1024 * 1024

/** Seconds that clocks of signer and verifier may differ, either way. */
export const window = 60
/** Seconds after the window for which a nonce is remembered: a slow body, and clocks of several nodes that differ. */
const margin = 240

/** The request as it arrives; its body is read only when the signer's key is known. */
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

/** What shows a signature: the request, or, while a connection stays open, the key that opened it. */
export type Signing = Arrival | { readonly provenKey: string | undefined }

/** Why a request does not count as signed: a header that is malformed, or what is wrong with them all. */
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

/** A request whose signature is right. */
export interface Signed {
  readonly key: CachedKey
  /** The bytes that were signed: they alone may be forwarded. Undefined where nothing new was signed. */
  readonly body: Buffer | undefined
  /** Uses the nonce up; false for a request that was let in before. The last step before forwarding. */
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

/** Half the order of secp256k1: of the two values of s that verify, only the one up to here counts (BIP 62). */
const halfOrder = '7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0'

const one = (rawHeaders: readonly string[], name: string, form: RegExp): string | undefined => {
  const [value, ...more] = valuesOf(rawHeaders, name)
  return value !== undefined && more.length === 0 && form.test(value) ? value : undefined
}

const read = (rawHeaders: readonly string[]): Headers | SignatureProblem => {
  if (valuesOf(rawHeaders, 'x-signature').length === 0) return 'missing'
  const pubkey = one(rawHeaders, 'x-signature-pubkey', forms.pubkey)
  if (pubkey === undefined) return 'pubkey'
  const signature = one(rawHeaders, 'x-signature', forms.signature)
  if (signature === undefined || signature.slice(64).toLowerCase() > halfOrder) return 'signature'
  const timestamp = one(rawHeaders, 'x-signature-timestamp', forms.timestamp)
  if (timestamp === undefined) return 'timestamp'
  const nonce = one(rawHeaders, 'x-signature-nonce', forms.nonce)
  if (nonce === undefined) return 'nonce'
  return { pubkey, signature, timestamp, nonce }
}

/** Reads a point; undefined for 33 or 65 bytes that are none. */
const canonical = (pubkey: string): string | undefined => {
  try {
    return normalisePubkey(pubkey)
  } catch {
    return undefined
  }
}

/** What is signed: everything that the request asks for, on lines of its own. */
const signedText = (asked: EdgeRequest, body: Buffer, { timestamp, nonce }: Headers): string =>
  [
    'hero-sig-v1',
    asked.method,
    asked.authority,
    asked.target,
    hash('sha256', body, 'hex'),
    timestamp,
    nonce,
  ].join('\n')

/**
 * Verifies signed requests. What costs nothing comes first, so that strangers make us neither read bodies nor verify;
 * what costs most, remembering the nonce durably, comes last.
 */
export class Signatures {
  readonly #keys: CachedKeys

  constructor(keys: CachedKeys) {
    this.#keys = keys
  }

  /** Returns a refusal where the body could not be read. */
  async verify(asked: EdgeRequest, signing: Signing): Promise<Signed | SignatureProblem | Refusal> {
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
    const text = Buffer.from(signedText(asked, body, headers), 'latin1')
    const signature = Buffer.from(headers.signature, 'hex')
    if (!verify('sha256', text, { key: key.key, dsaEncoding: 'ieee-p1363' }, signature)) return 'wrong'
    if (!key.owner.may_sign_in) return 'inactive'
    const admit = () => this.#keys.useNonce(key.pubkey, headers.nonce, at + window + margin)
    return { key, body, admit }
  }

  /** Nothing new is signed while a connection stays open: it lasts while its key is somebody's. */
  async #stillKnown(pubkey: string | undefined): Promise<Signed | SignatureProblem> {
    const key = pubkey === undefined ? undefined : await this.#keys.find(pubkey)
    if (!key?.owner.may_sign_in) return 'missing'
    return { key, body: undefined, admit: async () => true }
  }
}
