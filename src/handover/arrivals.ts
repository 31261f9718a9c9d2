import { digest } from '../secrets/digest.ts'
import type { OpenedChild, ChildSessions } from '../sessions/child_sessions.ts'
import type { LiveSession } from '../sessions/live_session.ts'
import type { Database } from '../storage/database.ts'
import type { ArrivalCodes } from './codes.ts'
import type { Destination, Destinations } from './destination.ts'
import type { Leaving } from './left_hosts.ts'
import type { Passage, Passages } from './passages.ts'

/**
 * Living children that a browser may have opened one after another within a minute before we say that it keeps no cookies. More
 * rounds would exceed ten redirects.
 */
const maxRounds = 2

interface Parts {
  readonly database: Database
  readonly codes: ArrivalCodes
  readonly children: ChildSessions
  readonly destinations: Destinations
  readonly passages: Passages
  /** Whether the person has signed out of this service, and stayed signed in at home. */
  readonly hasLeft: (leaving: Leaving) => Promise<boolean>
  /** Ends a sign-in and everything that belongs to it. */
  readonly signOut: (signInId: string) => Promise<void>
}

/** A browser that shows a code at the host of a service. */
interface Arriving {
  readonly host: string
  readonly code: string
  /** The value of its arrival cookie. */
  readonly arrival: string | undefined
  /** The child session that it has here. */
  readonly child: LiveSession | undefined
}

export type ArrivalResult =
  /** Goes on, to the page or first to another host of its passage; `opened` is set if the browser gets a new session. */
  | { readonly act: 'enter'; readonly location: string; readonly opened?: OpenedChild }
  /** The code does not fit this browser: the handover begins again, once. */
  | { readonly act: 'begin again'; readonly to: Destination; readonly again: boolean }
  /** It has failed twice: a page says why. */
  | { readonly act: 'stuck' }
  /** Nobody signs in at this host. */
  | { readonly act: 'no service' }

/** The last step of the handover: a browser comes back to the host of a service with a code. */
export class Arrivals {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** Whether a browser has opened so many sessions here, one after another, that it seems to keep none. */
  async keepsNothing(origin: string, arrival: string): Promise<boolean> {
    return (await this.#parts.children.round(origin, digest(arrival))) >= maxRounds
  }

  async arrive({ host, code, arrival, child }: Arriving): Promise<ArrivalResult> {
    const { database, codes, destinations, passages } = this.#parts
    // An unknown code costs no write.
    const known = await codes.find(code)
    const to = await destinations.at(host, known?.path ?? '/')
    if (!to) return { act: 'no service' }
    const isHere = known?.origin === to.origin
    if (!known) return { act: 'begin again', to, again: true }
    return database.write(async (): Promise<ArrivalResult> => {
      const used = await codes.use(code)
      // It was the oldest of too many, and has been deleted since.
      if (!used) return { act: 'begin again', to, again: !child }
      const fits =
        isHere && to.path === used.path && arrival !== undefined && digest(arrival) === used.arrival_hash
      const carried = used.passage === '' ? undefined : (JSON.parse(used.passage) as Passage)
      if (carried) return this.#pass(used, fits, to, child, carried)
      if (isHere && child?.sign_in.id === used.parent_id)
        return { act: 'enter', location: to.origin + to.path }
      const passage = await passages.begin(used.parent_id, to)
      const opened = fits ? await this.#open(used, to, child, passage) : undefined
      if (opened)
        return {
          act: 'enter',
          location: await (passage ? passages.onward(passage) : to.origin + to.path),
          opened,
        }
      if (child || used.again === 0) return { act: 'begin again', to, again: !child }
      return { act: 'stuck' }
    })
  }

  /** A stop of a passage: what cannot be opened without asking is left out. */
  async #pass(
    used: UsedCode,
    fits: boolean,
    to: Destination,
    child: LiveSession | undefined,
    passage: Passage,
  ): Promise<ArrivalResult> {
    const location = await this.#parts.passages.onward(passage)
    if (child?.sign_in.id === used.parent_id) {
      await this.#parts.children.join(child.id, passage.id)
      return { act: 'enter', location }
    }
    const opened = fits ? await this.#open(used, to, child, passage) : undefined
    return { act: 'enter', location, ...(opened && { opened }) }
  }

  /** Opens the session of this host, if the code and its sign-in are still valid. */
  async #open(
    used: UsedCode,
    { origin }: Destination,
    child: LiveSession | undefined,
    passage: Passage | undefined,
  ): Promise<OpenedChild | undefined> {
    const { children, hasLeft, signOut } = this.#parts
    const { valid, parent_id: parentId, arrival_hash: arrivalHash, round } = used
    // Only the browser that left this host has the arrival cookie, so nobody can be signed in by the code of another. A code from
    // before the person signed out here opens nothing without asking.
    if (!valid || (await hasLeft({ signInId: parentId, origin }))) return undefined
    const opened = await children.open({ parentId, origin, arrivalHash, round, passage: passage?.id ?? '' })
    // A browser has one sign-in: what another person had opened here ends.
    if (opened && child) await signOut(child.sign_in.id)
    return opened
  }
}

type UsedCode = NonNullable<Awaited<ReturnType<ArrivalCodes['use']>>>
