import { createPublicKey, sign, type JsonWebKey, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import { ExternalSigningKey } from 'oidc-provider'
import type { SigningKey } from '../../keys/keys.ts'

const signInThreadPool = promisify(sign) as (
  digest: string,
  data: Uint8Array,
  key: KeyObject,
) => Promise<Buffer>

/**
 * One of our keys, with which the engine signs without access to the private part. The key is parsed once, not for every token.
 * Ed25519 signs synchronously, because that is faster than a switch to another thread. RSA is slow and uses the thread pool.
 */
class EngineKey extends ExternalSigningKey {
  readonly #key: SigningKey
  readonly #public: KeyObject
  readonly #jwk: JsonWebKey

  constructor(key: SigningKey) {
    super()
    this.#key = key
    this.#public = createPublicKey(key.key)
    this.#jwk = this.#public.export({ format: 'jwk' })
  }

  override get kid() {
    return this.#key.kid
  }
  override get alg() {
    return this.#key.algorithm
  }
  override get kty() {
    return this.#jwk.kty!
  }
  override get crv() {
    return this.#jwk.crv
  }
  override get x() {
    return this.#jwk.x
  }
  override get n() {
    return this.#jwk.n
  }
  override get e() {
    return this.#jwk.e
  }

  override keyObject() {
    return this.#public
  }

  override sign(data: Uint8Array) {
    const { algorithm, key } = this.#key
    return algorithm === 'EdDSA' ? sign(null, data, key) : signInThreadPool('sha256', data, key)
  }
}

export const engineKeys = (keys: readonly SigningKey[]): EngineKey[] => keys.map((key) => new EngineKey(key))
