import { createHash, createSign, generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto'

/** CBOR (RFC 8949) of the types that an authenticator uses: integers, bytes, text and maps. */
const cbor = (value: number | string | Buffer | Map<unknown, unknown>): Buffer => {
  const head = (major: number, n: number) =>
    n < 24
      ? Buffer.from([(major << 5) | n])
      : n < 256
        ? Buffer.from([(major << 5) | 24, n])
        : Buffer.from([(major << 5) | 25, n >> 8, n & 255])
  if (typeof value === 'number') return value >= 0 ? head(0, value) : head(1, -1 - value)
  if (typeof value === 'string') return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)])
  if (Buffer.isBuffer(value)) return Buffer.concat([head(2, value.length), value])
  return Buffer.concat([head(5, value.size), ...[...value].flat().map((part) => cbor(part as never))])
}

const sha256 = (data: string | Buffer) => createHash('sha256').update(data).digest()

interface Overrides {
  readonly origin?: string
  readonly rpId?: string
  /** Whether the authenticator claims to have verified its user. */
  readonly verified?: boolean
  readonly counter?: number
  readonly userHandle?: string
  readonly type?: string
}

/** A passkey in software (WebAuthn sections 6.1 and 6.5): creates the response of a browser, or an altered one. */
export class Authenticator {
  readonly id = randomBytes(16)
  readonly #private: KeyObject
  readonly #public: { x: Buffer; y: Buffer }
  readonly #origin: string
  #counter = 0
  #handle = ''

  constructor(origin: string) {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const { x, y } = publicKey.export({ format: 'jwk' })
    this.#private = privateKey
    this.#public = { x: Buffer.from(x!, 'base64url'), y: Buffer.from(y!, 'base64url') }
    this.#origin = origin
  }

  create(
    options: { challenge: string; rp: { id: string }; user: { id: string } },
    overrides: Overrides = {},
  ): string {
    this.#handle = options.user.id
    const { x, y } = this.#public
    const key = cbor(
      new Map<number, number | Buffer>([
        [1, 2],
        [3, -7],
        [-1, 1],
        [-2, x],
        [-3, y],
      ]),
    )
    const credential = Buffer.concat([Buffer.alloc(16), Buffer.from([0, this.id.length]), this.id, key])
    const data = Buffer.concat([this.#data(options.rp.id, 0x40, overrides), credential])
    const attestation = new Map<string, unknown>([
      ['fmt', 'none'],
      ['attStmt', new Map()],
      ['authData', data],
    ])
    return this.#answer({
      clientDataJSON: this.#client('webauthn.create', options.challenge, overrides),
      attestationObject: cbor(attestation).toString('base64url'),
    })
  }

  get(options: { challenge: string; rpId: string }, overrides: Overrides = {}): string {
    const data = this.#data(options.rpId, 0, overrides)
    const clientDataJSON = this.#client('webauthn.get', options.challenge, overrides)
    const signed = Buffer.concat([data, sha256(Buffer.from(clientDataJSON, 'base64url'))])
    return this.#answer({
      clientDataJSON,
      authenticatorData: data.toString('base64url'),
      signature: createSign('sha256').update(signed).sign(this.#private).toString('base64url'),
      userHandle: overrides.userHandle ?? this.#handle,
    })
  }

  #data(rpId: string, flags: number, { rpId: other, verified = true, counter }: Overrides): Buffer {
    const count = Buffer.alloc(4)
    count.writeUInt32BE(counter ?? ++this.#counter)
    const present = 0x01 | (verified ? 0x04 : 0)
    return Buffer.concat([sha256(other ?? rpId), Buffer.from([present | flags]), count])
  }

  #client(type: string, challenge: string, { origin, type: other }: Overrides): string {
    const client = { type: other ?? type, challenge, origin: origin ?? this.#origin, crossOrigin: false }
    return Buffer.from(JSON.stringify(client)).toString('base64url')
  }

  #answer(response: Record<string, string>): string {
    const id = this.id.toString('base64url')
    return JSON.stringify({ id, rawId: id, type: 'public-key', response, clientExtensionResults: {} })
  }
}
