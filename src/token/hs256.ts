import { timingSafeEqual } from 'node:crypto'
import { now } from '../storage/ids.ts'
import { accessTokenLifetimeSeconds } from './access_tokens.ts'

const issuer = 'hero_auth'
const header = Buffer.from('{"alg":"HS256","typ":"JWT"}').toString('base64url')

export interface Hs256Token {
  readonly sub: string
  readonly scope: string
  readonly iat: number
  readonly exp: number
}

/**
 * Tokens in the format of the old hero_auth: `{sub, iss: "hero_auth", iat, exp, scope}`, HS256 with the secret that the
 * old services share. Anyone with that secret can create them, so none of our own entry points accepts them.
 */
export class Hs256Tokens {
  readonly #mac: (text: string) => Buffer

  constructor(mac: (text: string) => Buffer) {
    this.#mac = mac
  }

  issue(sub: string, scope: string): { access_token: string; expires_in: number } {
    const iat = now()
    const payload = { sub, iss: issuer, iat, exp: iat + accessTokenLifetimeSeconds, scope }
    const text = `${header}.${Buffer.from(JSON.stringify(payload)).toString('base64url')}`
    return {
      access_token: `${text}.${this.#mac(text).toString('base64url')}`,
      expires_in: accessTokenLifetimeSeconds,
    }
  }

  /** The content of a valid token, or undefined for anything else. */
  read(token: string): Hs256Token | undefined {
    const [head = '', body = '', signature = '', ...more] = token.split('.')
    if (head !== header || more.length > 0) return undefined
    const given = Buffer.from(signature, 'base64url')
    const expected = this.#mac(`${head}.${body}`)
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined
    if (given.toString('base64url') !== signature) return undefined
    const { sub, iss, iat, exp, scope } = JSON.parse(
      Buffer.from(body, 'base64url').toString(),
    ) as Hs256Token & {
      iss: unknown
    }
    const isComplete =
      iss === issuer && typeof sub === 'string' && Number.isInteger(iat) && Number.isInteger(exp)
    if (!isComplete || typeof scope !== 'string' || exp <= now()) return undefined
    return { sub, scope, iat, exp }
  }
}
