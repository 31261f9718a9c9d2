import type { Caller } from '../contract/caller.ts'
import type { ClientWithCredentials } from '../clients/client.ts'
import { AppError, conflict, errorTable } from '../contract/errors.ts'
import type { Call } from '../contract/method.ts'
import type { Hs256Token, Hs256Tokens } from '../token/hs256.ts'
import type { Issued, Validation } from '../token/token.ts'

/** A response in the form of the old service: a status and JSON. */
export interface OldAnswer {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
  readonly retryAfter?: number
}

type Known = Pick<ClientWithCredentials, 'scopes' | 'created_at' | 'tokens_since'> | undefined
type Fields = Readonly<Record<string, unknown>>

interface Parts {
  /** Calls a method, with the same checks, counters and audit as any other call. */
  readonly call: Call
  /** Whether tokens in the old format are issued. */
  readonly old: () => Promise<boolean>
  readonly tokens: Hs256Tokens
  readonly endSession: (token: string) => Promise<void>
  readonly client: (clientId: string) => Known | Promise<Known>
  readonly person: (username: string) => Promise<
    | {
        readonly id: string
        readonly may_sign_in: boolean
        readonly created_at: number
        readonly claims: readonly string[]
      }
    | undefined
  >
  /** Whether everything issued to the user at that time has been revoked since. */
  readonly wasEnded: (userId: string, issuedAt: number) => Promise<boolean>
}

/** The names of our errors in OAuth 2.0 (RFC 6749 section 5.2). */
const oauthNames: Readonly<Record<string, readonly [status: number, error: string]>> = {
  unauthenticated: [401, 'invalid_client'],
  claim_required: [400, 'unauthorized_client'],
  invalid_params: [400, 'invalid_request'],
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '')
const given = (fields: Fields, ...names: readonly string[]): Record<string, unknown> =>
  Object.fromEntries(names.filter((name) => fields[name] !== undefined).map((name) => [name, fields[name]]))

/** The API of the old hero_auth, for callers that have not migrated yet: `POST /token`, `/login`, `/register`, `/validate`. */
export class HeroAuth {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** `{client_id, client_secret, scope?}` → `{access_token, token_type, expires_in, scope}`. */
  readonly token = (fields: Fields, caller: Caller): Promise<OldAnswer> =>
    answering(async () => {
      const { grant_type } = fields
      if (grant_type !== undefined && grant_type !== 'client_credentials')
        return { status: 400, body: { error: 'unsupported_grant_type' } }
      const client_id = text(fields.client_id)
      const params = { client_id, client_secret: text(fields.client_secret), ...given(fields, 'scope') }
      const issued = (await this.#parts.call('token.create', params, caller)) as Issued
      const { access_token, token_type, expires_in, scope } = issued
      const old = await this.#parts.old()
      if (old) await this.#refuseNamesake(client_id, 'client')
      const instead = old ? this.#parts.tokens.issue(client_id, scope) : {}
      return { status: 200, body: { access_token, token_type, expires_in, scope, ...instead } }
    }, oauthNames)

  /** `{username | email | login, password}` → `{access_token, token_type, expires_in, user}`. */
  readonly login = (fields: Fields, caller: Caller): Promise<OldAnswer> =>
    answering(async () => {
      const { login = fields.username ?? fields.email, password } = fields
      const params = given({ login, password }, 'login', 'password')
      const opened = (await this.#parts.call('auth.login', params, caller)) as Fields & {
        user: string
        access_token: string
      }
      if (!(await this.#parts.old())) return { status: 200, body: opened }
      const { token_type, user } = opened
      // The old token is independent of the session, and the caller never learns the token of the session. So end it.
      await this.#parts.endSession(opened.access_token)
      await this.#refuseNamesake(user, 'person')
      const scope = await this.#scopeOf(user)
      return { status: 200, body: { ...this.#parts.tokens.issue(user, scope), token_type, scope, user } }
    })

  /** `{username, email, password, display_name?}` → `{next: "verify"}`, after a link was mailed to the address. The setting `registration_mode` decides who may register. */
  readonly register = (fields: Fields, caller: Caller): Promise<OldAnswer> =>
    answering(async () => {
      const params = given(fields, 'username', 'email', 'password', 'display_name')
      const { next } = (await this.#parts.call('auth.register', params, caller)) as { next: string }
      return { status: 201, body: { next } }
    })

  /** `{token}` → `{valid, sub, scope, iss, exp, …}`, or `{valid: false}`. */
  readonly validate = (fields: Fields, caller: Caller): Promise<OldAnswer> =>
    answering(async () => {
      const token = text(fields.token)
      const old = (await this.#parts.old()) ? this.#parts.tokens.read(token) : undefined
      if (old)
        return (await this.#isValid(old))
          ? { status: 200, body: { valid: true, iss: 'hero_auth', ...old } }
          : { status: 200, body: { valid: false } }
      const validation = (await this.#parts.call('token.validate', { token }, caller)) as Validation
      const { active, ...about } = validation
      return {
        status: 200,
        body: { valid: active, ...(about.aud !== undefined && { iss: about.aud }), ...about },
      }
    })

  /**
   * An old token does not say whether its name is that of a user or of a client. If both exist, the name belongs to the older one:
   * nobody can become a user by registering a client with the same name, or the reverse.
   */
  async #refuseNamesake(name: string, as: 'client' | 'person'): Promise<void> {
    const [client, person] = [await this.#parts.client(name), await this.#parts.person(name)]
    if (!client || !person) return
    const [own, other] = as === 'client' ? [client, person] : [person, client]
    if (own.created_at >= other.created_at)
      throw conflict(`The old services could not distinguish you from another ${JSON.stringify(name)}`)
  }

  async #scopeOf(username: string): Promise<'admin' | 'write'> {
    return (await this.#parts.person(username))?.claims.includes('admin') ? 'admin' : 'write'
  }

  /** Whether the holder of an old token still exists and has the same rights, and the token has not been revoked. */
  async #isValid({ sub, scope, iat }: Hs256Token): Promise<boolean> {
    const client = await this.#parts.client(sub)
    const given = scope.split(' ')
    const mayAll = given.every((scope) => (client?.scopes as readonly string[] | undefined)?.includes(scope))
    if (client && mayAll && iat > client.tokens_since) return true
    const person = await this.#parts.person(sub)
    if (!person?.may_sign_in || (await this.#parts.wasEnded(person.id, iat))) return false
    return !given.includes('admin') || (await this.#scopeOf(sub)) === 'admin'
  }
}

const answering = async (
  work: () => Promise<OldAnswer>,
  names: typeof oauthNames = {},
): Promise<OldAnswer> => {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    const [status, name] = names[error.error] ?? [errorTable[error.error].http, error.error]
    const { retry_after, code: _, ...data } = error.data
    return {
      status,
      body: { ...data, error: name, error_description: error.message },
      ...(typeof retry_after === 'number' && { retryAfter: retry_after }),
    }
  }
}
