import type { Claims } from '../claims/claims.ts'
import type { PlaceCheck } from '../claims/result_schemas.ts'
import type { ClientWithCredentials } from '../clients/client.ts'
import { notFound } from '../contract/errors.ts'
import type { Place } from '../contract/place.ts'
import { anyProof, bothRules } from '../contract/proofs.ts'
import { placeOf } from '../routes/route_place.ts'
import type { Route } from '../routes/route.ts'
import { maySignIn } from '../storage/schema.ts'
import type { User } from '../users/user.ts'
import type { ClientRules } from './client_rules.ts'
import type { Judge } from './judge.ts'

/** Exactly one of both. */
export interface WantedPlace {
  readonly client?: string | undefined
  /** The id of a route. */
  readonly route?: string | undefined
}

interface Parts {
  readonly judge: Judge
  readonly rules: Pick<ClientRules, 'placeOf'>
  readonly claims: Pick<Claims, 'check' | 'resolved'>
  readonly userOf: (username: string) => Promise<User>
  readonly route: (id: string) => Promise<Route>
  readonly client: (
    name: string,
  ) => ClientWithCredentials | undefined | Promise<ClientWithCredentials | undefined>
}

/** Says what the judge would say about a person at a place, and why, without anybody going there. */
export class PlaceChecks {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** Throws not_found. What the person must prove is said apart, because it depends on their session. */
  async check(username: string, wanted: WantedPlace): Promise<PlaceCheck> {
    const { judge, claims, userOf } = this.#parts
    const place = await this.#placeOf(wanted)
    const user = await userOf(username)
    const { id, email, email_verified_at, context } = user
    const { service, required_claims } = place
    const where = { ...(service !== null && { service }), context }
    const about =
      required_claims.length === 0
        ? { because: [], missing: [] }
        : await claims.check(username, required_claims, where)
    const resolved = await claims.resolved(id, { service: service ?? '', context })
    const principal = {
      proof: { by: 'route_test' as const, id },
      method: 'local' as const,
      user_id: id,
      username,
      email,
      email_verified_at,
      context,
    }
    const verdict = maySignIn(user)
      ? await judge.enter({ principal, staticToken: false }, { ...place, ...anyProof })
      : undefined
    const lack = verdict ? (verdict.lack ?? null) : 'account'
    const { proof, proof_age } = bothRules(place, { proof: resolved?.proof ?? 'any', proof_age: null })
    return { ...about, allowed: lack === null, lack: lack as PlaceCheck['lack'], proof, proof_age }
  }

  async #placeOf({ client, route }: WantedPlace): Promise<Place> {
    if (route !== undefined) return placeOf(await this.#parts.route(route))
    const found = await this.#parts.client(client!)
    if (!found) throw notFound('client', client!)
    return this.#parts.rules.placeOf(found)
  }
}
