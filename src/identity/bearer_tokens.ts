import type { ClientWithCredentials } from '../clients/client.ts'
import type { Clients } from '../clients/clients.ts'
import type { Principal, Program, ShownToken } from '../contract/principal.ts'
import { widestScope } from '../contract/token_scopes.ts'
import { nothingProved, proofsOf } from '../contract/proofs.ts'
import type { ClientRules } from './client_rules.ts'
import type { Services } from '../services/services.ts'
import type { LiveSessions } from '../sessions/live_sessions.ts'
import { whenReady } from '../storage/when_ready.ts'
import type { AccessToken, AccessTokens } from '../token/access_tokens.ts'
import type { PersonalToken, PersonalTokens } from '../token/personal_tokens.ts'
import type { CachedPeople } from '../users/cached_people.ts'
import type { RecognisedUser } from '../users/person.ts'

type Maybe<T> = T | undefined | Promise<T | undefined>

interface Parts {
  readonly sessions: LiveSessions
  readonly personal: PersonalTokens
  readonly access: AccessTokens
  readonly people: CachedPeople
  readonly clients: Clients
  /** Who may use an application. */
  readonly rules: Pick<ClientRules, 'admits'>
  readonly services: Services
  /** Returns the context in which programs act. */
  readonly programContext: () => number | Promise<number>
  /** The public URL: the audience of our tokens unless they name a service. */
  readonly issuer: string
}

const servicePrefix = 'service:'

/** The subject of a local service. No client_id and no user_id contains a colon. */
export const subjectOfService = (name: string): string => `${servicePrefix}${name}`

/**
 * Finds the current owner of a bearer token: a person who may still sign in, or a client or service that still exists. Warm,
 * everything comes from memory and without a promise.
 */
export class BearerTokens {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** Returns the owner of a valid token of ours: a session token, a personal token or a JWT. With `audience`, only tokens for that resource count. */
  find(token: string, audience?: string): Maybe<Principal> {
    const { sessions, personal, access, issuer } = this.#parts
    const forUs = audience === undefined || audience === issuer
    return whenReady(forUs ? sessions.find(token) : undefined, (session): Maybe<Principal> => {
      if (session) return session
      if (token.startsWith('hero_'))
        return forUs ? whenReady(personal.find(token), (found) => found && this.#keeper(found)) : undefined
      return whenReady(access.find(token), (found) =>
        found && (audience === undefined || found.aud === audience) ? this.#subject(found) : undefined,
      )
    })
  }

  #keeper({ id, scope, expires_at, user_id, service }: PersonalToken): Maybe<Principal> {
    const { people, services, issuer: aud } = this.#parts
    const token: ShownToken = { kind: 'personal', id, scope, aud, expires_at, client_id: undefined }
    if (user_id !== null)
      return whenReady(people.find(user_id), (person) => person && ofPerson(person, token))
    return whenReady(
      services.findByName(service ?? ''),
      (known) => known && this.#ofProgram('service', known.service, known.claims, token),
    )
  }

  #subject(found: AccessToken): Maybe<Principal> {
    const { services, clients, people, rules } = this.#parts
    const { sub, client_id } = found
    if (client_id.startsWith(servicePrefix))
      return whenReady(services.findByName(client_id.slice(servicePrefix.length)), (known) => {
        const token = known && sub === client_id ? shown(found, undefined) : undefined
        return token && this.#ofProgram('service', known!.service, known!.claims, token)
      })
    return whenReady(clients.find(client_id), (client) => {
      // Tokens that were issued before the client was disabled, or before its secret was replaced, stay invalid.
      if (!client || found.iat <= client.tokens_since) return undefined
      if (sub === client_id && !client.grants.includes('client_credentials')) return undefined
      const token = shown(found, client)
      if (!token) return undefined
      if (sub === client_id) return this.#ofProgram('client', client_id, client.claims, token)
      return whenReady(people.find(sub), (person) => {
        if (!person) return undefined
        const proofs = found.acr === undefined ? nothingProved : proofsOf(found.acr, found.auth_time)
        return whenReady(rules.admits(person, client, found), (admitted) =>
          admitted ? { ...ofPerson(person, token), proofs } : undefined,
        )
      })
    })
  }

  #ofProgram(
    kind: Program['kind'],
    name: string,
    claims: readonly string[],
    token: ShownToken,
  ): Principal | Promise<Principal> {
    return whenReady(this.#parts.programContext(), (context) => ({
      proof: { by: 'token', id: token.id },
      method: 'bearer',
      user_id: '',
      // No person can have this name: usernames contain no dot.
      username: `${kind}.${name}`,
      email: null,
      email_verified_at: null,
      context,
      token,
      program: { kind, name, claims },
    }))
  }
}

const ofPerson = (person: RecognisedUser, token: ShownToken): Principal => ({
  ...person,
  proof: { by: 'token', id: token.id },
  method: 'bearer',
  token,
})

/** Returns undefined for a token without any scope that we define and its client may still have. */
const shown = (
  { jti, aud, exp, client_id, scope, acr, amr, auth_time }: AccessToken,
  client: ClientWithCredentials | undefined,
): ShownToken | undefined => {
  const given = scope
    .split(' ')
    .filter((name) => !client || (client.scopes as readonly string[]).includes(name))
  const held = widestScope(given)
  const proof = acr === undefined ? {} : { acr, amr, auth_time }
  return held && { kind: 'access', id: jti, scope: held, aud, expires_at: exp, client_id, ...proof }
}
