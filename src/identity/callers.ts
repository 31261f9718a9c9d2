import type { Claims } from '../claims/claims.ts'
import type { Resolved } from '../claims/resolve.ts'
import { heldBy, lackingOfAdministrators, lackingOfGroups } from '../claims/session_claims.ts'
import { guest, type Caller } from '../contract/caller.ts'
import { AppError } from '../contract/errors.ts'
import type { Principal, Program } from '../contract/principal.ts'
import { bothRules } from '../contract/proofs.ts'
import { claimsWithin } from '../contract/token_scopes.ts'
import { impersonated, isSession } from '../sessions/live_session.ts'
import type { Database } from '../storage/database.ts'
import { now } from '../storage/ids.ts'
import type { Subject } from '../storage/schema.ts'
import type { EdgeRequest } from '../wire/request.ts'
import { bearerToken, type Identification } from './identify.ts'

/** Callers and their claims depend on these. */
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

type From = Pick<
  Caller,
  'via' | 'uid' | 'pid' | 'address' | 'user_agent' | 'browser' | 'language' | 'gone' | 'atService'
>

/** Returns the authorization of a call: its header, or the member of its message. Throws unauthenticated if the two differ. */
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
  /** The public URL: the audience of tokens for our methods. */
  readonly issuer: string
}

/** Makes the caller of a method: the identified principal, the door it used, and the claims it holds here. */
export class Callers {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** Returns the caller that an Authorization header names. Throws unauthenticated unless it holds a valid token for us. */
  async ofAuthorization(authorization: string, from: From): Promise<Caller> {
    const { identification, issuer } = this.#parts
    const token = bearerToken(authorization)
    const find = async () => this.#of(await identification.byToken(token!, issuer), from)
    const caller = token === undefined ? undefined : await this.#find(find)
    if (!caller) throw new AppError('unauthenticated', 'The bearer token is not valid')
    return caller
  }

  /** Returns the person whom our cookie signs in at the host of the request, or undefined. */
  ofCookie(request: EdgeRequest, from: From): Promise<Caller | undefined> {
    const { identification } = this.#parts
    return this.#find(async () => {
      const session = await identification.byCookie(request)
      return typeof session === 'object' ? this.#of(session, from) : undefined
    })
  }

  /** Returns a guest. If the client's network belongs to a person, the guest carries their name, which grants no rights. */
  async guest(request: EdgeRequest, from: From): Promise<Caller> {
    const user = await this.#parts.identification.byNetwork(request)
    return user
      ? { ...guest(from), networkUser: { user_id: user.user_id, name: user.username } }
      : guest(from)
  }

  async #of(principal: Principal | undefined, from: From): Promise<Caller | undefined> {
    if (!principal) return undefined
    if (principal.program) return callerOfProgram(principal, principal.program, from)
    const resolved = await this.#parts.claims.resolved(principal.user_id)
    return resolved && callerOf(principal, resolved, from)
  }

  async #find(find: () => Promise<Caller | undefined>): Promise<Caller | undefined> {
    // Noted before anything is read, so that any later change makes us look up the caller again.
    const { revisions, writing } = this.#parts.database
    // Inside a transaction, read through it alone: another connection might have to wait for this one.
    if (!writing) await revisions.refresh()
    const noted = subjects.map((subject) => revisions.of(subject))
    const caller = await find()
    if (!caller) return undefined
    const again = async () => {
      if (await this.#areCurrent(noted)) return caller
      const present = await this.#find(find)
      if (!present)
        throw new AppError('unauthenticated', 'The session or token has ended', {
          reason: 'session_ended',
        })
      return present
    }
    return { ...caller, again }
  }

  /** Whether nothing has changed since the revisions were noted. */
  async #areCurrent(noted: readonly number[]): Promise<boolean> {
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

const callerOfProgram = ({ token }: Principal, { kind, name, claims }: Program, from: From): Caller => ({
  ...from,
  kind,
  name,
  claims: new Set(claimsWithin(claims, token?.scope)),
  token,
})

const callerOf = (principal: Principal, resolved: Resolved, from: From): Caller => {
  const { token, user_id, username } = principal
  const of = { ...from, kind: 'user', name: username, user_id } as const
  const { claims: held, withheld } = heldBy(principal, resolved, now())
  if (!isSession(principal)) return { ...of, claims: new Set(held), token }
  const group = lackingOfGroups(resolved, principal.proofs, now())
  const rule = group && withheld ? bothRules(group, withheld.rule) : (group ?? withheld?.rule)
  const person = {
    ...of,
    claims: new Set(group ? held.filter((claim) => claim === `users.${username}`) : held),
    ...(rule && {
      lacks: { claims: new Set(withheld?.all ?? held), rule, byGroup: group !== undefined },
    }),
  }
  const lacksAdministration = lackingOfAdministrators(resolved.administrators, principal.proofs, now())
  const { id: session_id, provider, proofs, by_trust, kind } = principal
  const on_behalf = impersonated(principal, held)?.username
  const atService = kind === 'child' || from.atService
  return { ...person, lacksAdministration, session_id, provider, proofs, by_trust, on_behalf, atService }
}
