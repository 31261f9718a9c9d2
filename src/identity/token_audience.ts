import type { Proof } from '../contract/principal.ts'
import type { Bearer, Bearers, Program } from './bearer_tokens.ts'
import type { LiveSessions } from '../sessions/live_sessions.ts'
import { whenReady } from '../storage/when_ready.ts'
import type { Asked } from '../wire/request.ts'
import { withoutSession, type Known } from './known.ts'

interface Parts {
  readonly sessions: LiveSessions
  readonly bearers: Bearers
  /** The public URL: whom tokens of ours are for unless they name a service. */
  readonly issuer: string
  /** In which context programs act. */
  readonly programContext: () => number | Promise<number>
}

/** Whose a token of ours is; nobody's where it is for another place. */
export interface Holder {
  readonly known: Known | undefined
  /** Made for this very service, which can verify it by itself: where tokens do not count here, it may have it. */
  readonly ofService: boolean
}

type Maybe<T> = T | undefined | Promise<T | undefined>

/** Finds who holds a token of ours: of a session, one that is kept, or an access token. Warm, it returns no promise. */
export class TokenHolders {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** Undefined for what is no living token of ours. */
  find(token: string, asked: Asked): Maybe<Holder> {
    const { sessions, bearers } = this.#parts
    return whenReady(sessions.find(token), (session): Maybe<Holder> => {
      if (session) return { known: session, ofService: false }
      return whenReady(
        bearers.find(token, () => true),
        (bearer) => bearer && this.#holder(bearer, asked),
      )
    })
  }

  #holder(bearer: Bearer, asked: Asked): Holder | Promise<Holder> {
    const ofService = bearer.aud !== this.#parts.issuer
    if (ofService && !leadsTo(bearer.aud, asked)) return { known: undefined, ofService: false }
    return whenReady(this.#known(bearer), (known) => ({ known, ofService }))
  }

  #known({ token_id, scope, person, program }: Bearer): Known | Promise<Known> {
    const proof = { by: 'token', id: token_id } as const
    if (person) return { ...withoutSession(person, proof), scope }
    return whenReady(this.#parts.programContext(), (context) => asKnown(proof, program!, context, scope))
  }
}

const asKnown = (proof: Proof, program: Program, context: number, scope: Bearer['scope']): Known => ({
  proof,
  user_id: '',
  // No person is called so: usernames hold no dot.
  username: `${program.kind}.${program.name}`,
  email: null,
  email_verified_at: null,
  context,
  overlay: undefined,
  scope,
  program,
})

/** Whether the resource that a token is for (RFC 8707) covers what is asked for: the same host, and the path or one above it. */
const leadsTo = (resource: string, { host, path }: Asked): boolean => {
  if (!URL.canParse(resource)) return false
  const { hostname, pathname, protocol } = new URL(resource)
  if (hostname !== host || !/^https?:$/.test(protocol)) return false
  const above = pathname.replace(/\/$/, '')
  // What services could read as another path is under none.
  if (above !== '' && /[%\\;]|\/\.|\/\//.test(path)) return false
  return path === pathname || path === above || path.startsWith(`${above}/`)
}
