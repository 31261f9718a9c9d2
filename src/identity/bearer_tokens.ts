import type { KnownClient } from '../clients/client.ts'
import type { Clients } from '../clients/clients.ts'
import type { Services } from '../services/services.ts'
import type { AccessToken, AccessTokens } from '../token/access_tokens.ts'
import type { PersonalTokens } from '../token/personal_tokens.ts'
import { widest, type TokenScope } from '../contract/token_scopes.ts'
import type { KnownPeople } from '../users/cached_people.ts'
import type { KnownPerson } from '../users/person.ts'
import { whenReady } from '../storage/when_ready.ts'

/** A program that acts for itself: a client of ours, or a local service. */
export interface Program {
  readonly kind: 'client' | 'service'
  readonly name: string
  readonly claims: readonly string[]
}

/** Whoever shows a token that is not of a session, and how far it goes. */
export interface Bearer {
  readonly kind: 'personal' | 'access'
  readonly token_id: string
  readonly scope: TokenScope
  readonly aud: string
  readonly expires_at: number
  readonly client_id: string | undefined
  /** One of the two. */
  readonly person: KnownPerson | undefined
  readonly program: Program | undefined
}

type Maybe<T> = T | undefined | Promise<T | undefined>

interface Parts {
  readonly personal: PersonalTokens
  readonly access: AccessTokens
  readonly people: KnownPeople
  readonly clients: Clients
  readonly services: Services
  readonly issuer: string
}

const servicePrefix = 'service:'

/** The subject of a local service: no client_id and no id of a person holds a colon. */
export const subjectOfService = (name: string): string => `${servicePrefix}${name}`

/**
 * Who is behind a token that is not of a session, as things stand now: a person who may still be signed in, a client or service that
 * is still there, with the claims of today. Warm, everything comes from memory and without a promise.
 */
export class Bearers {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** `isFor` tells by the audience of an access token whether it may be shown here; those that are kept are for us. */
  find(token: string, isFor: (audience: string) => boolean): Maybe<Bearer> {
    const { personal, access } = this.#parts
    if (token.startsWith('hero_'))
      return whenReady(personal.find(token), (found) => found && this.#keeper(found))
    return whenReady(access.find(token), (found) =>
      found && isFor(found.aud) ? this.#subject(found) : undefined,
    )
  }

  #keeper(found: NonNullable<Awaited<ReturnType<PersonalTokens['find']>>>): Maybe<Bearer> {
    const { people, services, issuer } = this.#parts
    const { id: token_id, scope, expires_at, user_id, service } = found
    const about = {
      kind: 'personal',
      token_id,
      scope,
      expires_at,
      aud: issuer,
      client_id: undefined,
    } as const
    if (user_id !== null)
      return whenReady(people.find(user_id), (person) => person && { ...about, person, program: undefined })
    return whenReady(
      services.findByName(service ?? ''),
      (known) =>
        known && { ...about, person: undefined, program: programOf('service', known.service, known.claims) },
    )
  }

  #subject(token: AccessToken): Maybe<Bearer> {
    const { services, clients } = this.#parts
    const { sub, client_id } = token
    if (client_id.startsWith(servicePrefix))
      return whenReady(services.findByName(client_id.slice(servicePrefix.length)), (known) =>
        known && sub === client_id
          ? bearer(token, undefined, undefined, programOf('service', known.service, known.claims))
          : undefined,
      )
    return whenReady(clients.find(client_id), (client) => {
      // What was issued before it was switched off, or before its secret leaked, does not come back with it.
      if (!client || token.iat <= client.tokens_since) return undefined
      if (sub === client_id && !client.grants.includes('client_credentials')) return undefined
      if (sub === client_id)
        return bearer(token, client, undefined, programOf('client', client_id, client.claims))
      return whenReady(this.#parts.people.find(sub), (person) =>
        person ? bearer(token, client, person, undefined) : undefined,
      )
    })
  }
}

const programs = new WeakMap<readonly string[], Program>()

/** The same object for the same list of claims, which lives as long as nothing changes. */
const programOf = (kind: Program['kind'], name: string, claims: readonly string[]): Program => {
  let program = programs.get(claims)
  if (!program) programs.set(claims, (program = { kind, name, claims }))
  return program
}

/** Undefined for a token whose scopes are none of ours, or none that its client may have today. */
const bearer = (
  { jti, aud, exp, client_id, scope }: AccessToken,
  client: KnownClient | undefined,
  person: KnownPerson | undefined,
  program: Program | undefined,
): Bearer | undefined => {
  const given = scope
    .split(' ')
    .filter((one) => !client || (client.scopes as readonly string[]).includes(one))
  const held = widest(given)
  if (held === undefined) return undefined
  return { kind: 'access', token_id: jti, scope: held, aud, expires_at: exp, client_id, person, program }
}
