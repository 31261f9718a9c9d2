import type { Claims } from '../claims/claims.ts'
import { guest, type Caller } from '../contract/caller.ts'
import { AppError } from '../contract/errors.ts'
import type { Principal } from '../contract/principal.ts'
import { claimsWithin } from '../contract/token_scopes.ts'
import { impersonated, isSession } from '../sessions/live_session.ts'
import type { Database } from '../storage/database.ts'
import type { Subject } from '../storage/schema.ts'
import type { EdgeRequest } from '../wire/request.ts'
import { bearerToken, type Identification } from './identify.ts'

/** What callers and their claims are made from. */
const subjects = [
  'sessions',
  'users',
  'groups',
  'settings',
  'tokens',
  'clients',
  'services',
  'keys',
] as const satisfies readonly Subject[]

type From = Pick<Caller, 'via' | 'uid' | 'pid' | 'address' | 'user_agent' | 'language' | 'gone'>

/** What a call is authorized by: its header or the member of its message. Throws unauthenticated where they name two callers. */
export const authorizationOf = (
  headers: readonly string[],
  member: string | undefined,
): string | undefined => {
  if (headers.length > 1) throw new AppError('unauthenticated', 'There is more than one Authorization header')
  const [header] = headers
  if (member !== undefined && header !== undefined && member !== header)
    throw new AppError('unauthenticated', 'The header and the message name different callers')
  return header ?? member
}

interface Parts {
  readonly database: Database
  readonly identification: Identification
  readonly claims: Claims
  /** The public URL: whom tokens for our methods are for. */
  readonly issuer: string
}

/** Who calls a method: the principal that was identified, by which door it came, and the claims that it holds here. */
export class Callers {
  readonly #parts: Parts
  readonly #publicHost: string

  constructor(parts: Parts) {
    this.#parts = parts
    this.#publicHost = new URL(parts.issuer).hostname
  }

  /** Who is behind an Authorization header; throws unauthenticated for anything that is no living token for us. */
  async ofAuthorization(authorization: string, from: From): Promise<Caller> {
    const { identification, issuer } = this.#parts
    const token = bearerToken(authorization)
    const find = async () => this.#of(await identification.byToken(token!, issuer), from)
    const caller = token === undefined ? undefined : await this.#find(find)
    if (!caller) throw new AppError('unauthenticated', 'The bearer token is not valid')
    return caller
  }

  /** Whoever is signed in by our cookie at the host of a request, or undefined. */
  ofCookie(request: EdgeRequest, from: From): Promise<Caller | undefined> {
    const { identification } = this.#parts
    return this.#find(async () => {
      const session = await identification.byCookie(request)
      if (typeof session !== 'object') return undefined
      return this.#of(session, { ...from, atService: request.host !== this.#publicHost })
    })
  }

  /** A guest; one whose network belongs to somebody carries their name, which gives no right at all. */
  async guest(request: EdgeRequest, from: From): Promise<Caller> {
    const user = await this.#parts.identification.byNetwork(request)
    return user
      ? { ...guest(from), networkUser: { user_id: user.user_id, name: user.username } }
      : guest(from)
  }

  async #of(
    principal: Principal | undefined,
    from: From & Pick<Caller, 'atService'>,
  ): Promise<Caller | undefined> {
    const held = principal && (principal.program?.claims ?? (await this.#parts.claims.of(principal.user_id)))
    return held && callerOf(principal, held, from)
  }

  async #find(find: () => Promise<Caller | undefined>): Promise<Caller | undefined> {
    // Noted before anything is read: what changes from here on makes the caller be looked at anew.
    const { revisions, writing } = this.#parts.database
    // Inside a transaction everything is read from it alone: another connection might have to wait for this one.
    if (!writing) await revisions.refresh()
    const noted = subjects.map((subject) => revisions.of(subject))
    const caller = await find()
    if (!caller) return undefined
    const again = async () => {
      if (await this.#stand(noted)) return caller
      const present = await this.#find(find)
      if (!present)
        throw new AppError('unauthenticated', 'The session or token has ended meanwhile', {
          reason: 'session_ended',
        })
      return present
    }
    return { ...caller, again }
  }

  /** Whether nothing has changed since the revisions were noted. */
  async #stand(noted: readonly number[]): Promise<boolean> {
    const rows = await this.#parts.database.query
      .selectFrom('revisions')
      .selectAll()
      .where('subject', 'in', [...subjects])
      .execute()
    return subjects.every((name, i) =>
      rows.some(({ subject, value }) => subject === name && value === noted[i]),
    )
  }
}

const callerOf = (
  principal: Principal,
  held: readonly string[],
  from: From & Pick<Caller, 'atService'>,
): Caller => {
  const { program, token, user_id, username } = principal
  const claims = new Set(claimsWithin(held, token?.scope))
  if (program) return { ...from, kind: program.kind, name: program.name, claims, token }
  const person = { ...from, kind: 'user', name: username, claims, user_id } as const
  if (!isSession(principal)) return { ...person, token }
  const { id: session_id, provider, proven_at } = principal
  const on_behalf = impersonated(principal, held)?.username
  return { ...person, session_id, provider, proven_at, on_behalf }
}
