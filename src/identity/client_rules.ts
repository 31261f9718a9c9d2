import type { ClientWithCredentials } from '../clients/client.ts'
import type { Place } from '../contract/place.ts'
import type { Principal } from '../contract/principal.ts'
import { acrLevels, anyProof, bothRules, type ProofLevel, type ProofRule } from '../contract/proofs.ts'
import type { LiveSession } from '../sessions/live_session.ts'
import { now } from '../storage/ids.ts'
import { whenReady } from '../storage/when_ready.ts'
import type { Judge, Verdict } from './judge.ts'

/** A client, or undefined for one that only has a metadata document. */
type MaybeClient =
  | Pick<
      ClientWithCredentials,
      'service' | 'required_claims' | 'proof' | 'proof_age' | 'session_max' | 'dynamic'
    >
  | undefined

/** What a token says about the sign-in that it came from. */
export interface RecordedProof {
  readonly acr?: string | undefined
  /** In Unix seconds. */
  readonly auth_time?: number | undefined
}

/** Decides who may use an application: at a sign-in, and for as long as it uses what it got. */
export class ClientRules {
  readonly #judge: Judge
  readonly #defaults: () => string | Promise<string>

  /** `defaults` returns the rule of clients that nobody added: patterns of claims, separated by commas. */
  constructor(judge: Judge, defaults: () => string | Promise<string>) {
    this.#judge = judge
    this.#defaults = defaults
  }

  /** Judges a person who is signed in, by the rule of the client and by what its request asks for besides. */
  enter(session: LiveSession, client: MaybeClient, asked: ProofRule = anyProof): Verdict | Promise<Verdict> {
    return whenReady(this.placeOf(client), (place) =>
      this.#judge.enter({ principal: session, staticToken: false }, { ...place, ...bothRules(place, asked) }),
    )
  }

  /**
   * Whether a client may still use what it got for a person. Proofs were asked for at the sign-in. What a token recorded of the proof
   * must reach one that has been raised since, and be no older than the client's `session_max`; what it did not record was never
   * proved. Without `recorded`, only the claims of the person count. Warm, it returns no promise.
   */
  admits(
    { user_id, context }: Pick<Principal, 'user_id' | 'context'>,
    client: MaybeClient,
    recorded?: RecordedProof,
  ): boolean | Promise<boolean> {
    if (recorded && client) {
      const { acr = '0', auth_time = 0 } = recorded
      if (levelIndex(acr) < levelIndex(client.proof)) return false
      if (client.session_max !== null && auth_time + client.session_max <= now()) return false
    }
    return whenReady(this.placeOf(client), (place) => {
      if (place.required_claims.length === 0) return true
      const principal = withoutSession({ user_id, context })
      return whenReady(
        this.#judge.enter({ principal, staticToken: false }, { ...place, ...anyProof }),
        ({ lack }) => lack === undefined,
      )
    })
  }

  /** Whether there is a rule for the clients that nobody added. */
  async hasDefaults(): Promise<boolean> {
    return (await this.#defaults()) !== ''
  }

  /** What an application asks of people, as the judge reads it. */
  placeOf(client: MaybeClient): Place | Promise<Place> {
    const { service = null, required_claims = [], proof = 'any' } = client ?? {}
    // A sign-in whose proof is older than `session_max` would be over before it began.
    const ages = [client?.proof_age, client?.session_max].filter((age) => typeof age === 'number')
    const proof_age = ages.length > 0 ? Math.min(...ages) : null
    const place = { service, guests: false, required_claims, allowed_emails: [], proof, proof_age }
    const isOwn = client && (!client.dynamic || required_claims.length > 0)
    if (isOwn) return place
    return whenReady(this.#defaults(), (text) => ({
      ...place,
      required_claims: text === '' ? [] : text.split(/, */),
    }))
  }
}

const levelIndex = (level: ProofLevel | (string & {})): number =>
  acrLevels.findIndex((names) => names.includes(level))

/** A person without a session: a place judges their claims, and no proof of theirs. */
export const withoutSession = (person: Pick<Principal, 'user_id' | 'context'>): Principal => ({
  ...nameless,
  ...person,
})

/** A person without a session, as a token shows them. */
const nameless: Principal = {
  proof: { by: 'token', id: '' },
  method: 'bearer',
  user_id: '',
  username: '',
  email: null,
  email_verified_at: null,
  context: 0,
}
