import type { IncomingMessage, ServerResponse } from 'node:http'
import type { EdgeRequest } from './request.ts'

/** Answers a request at one of our own paths. Returns `route`, and answers nothing, to leave the request to the route. */
export type OwnPathHandler = (
  request: IncomingMessage,
  response: ServerResponse,
  asked: EdgeRequest,
) => Answered | Promise<Answered>

type Answered = void | 'route'

/** What a route says about our own paths: which of its paths are ours as well, and whether it serves the rest. */
export interface RouteSwitches {
  /** The route is enabled. */
  readonly serves: boolean
  /** The usual names of sign-in pages: `/login`, `/auth/login` and the like. */
  readonly sign_in_paths: boolean
  readonly rpc: boolean
  readonly webfinger: boolean
}

/** A kind of host: home, that of an earlier public URL, another host with a route, or a host without one. */
export type HostKind = 'home' | 'previous' | 'routed' | 'unrouted'

export const everyHostOfOurs: readonly HostKind[] = ['home', 'previous', 'routed']
export const homeAndUnrouted: readonly HostKind[] = ['home', 'unrouted']

/** A row of the list of our own paths. Routes never get a request that it covers. */
export interface OwnPath {
  /** Compared as received, byte for byte. A final `/{name}` matches one more segment, a final `/*` everything below. The most specific path wins. */
  readonly path: string
  /** GET includes HEAD. An empty list means every method. */
  readonly methods: readonly string[]
  /** What a POST carries. If two rows differ only in this, one gets JSON and the other gets every other body. */
  readonly takes?: 'json' | 'form'
  readonly at: readonly HostKind[]
  /** The option of the matching route that switches the row on. Without it, the row is always on. */
  readonly while?: keyof RouteSwitches
  /** The route gets the row if it is so. */
  readonly unless?: keyof RouteSwitches
  /** `route` sends every method that no row of the path names to the route. Without it, such a method gets 405. */
  readonly otherMethods?: 'route'
  /** `door` if the door answers before it looks here. Without a handler, the path is reserved and gets 404. */
  readonly handler?: OwnPathHandler | 'door'
}

/** Finds the handler of an own path. */
export interface OwnPathTable {
  /** The kind of a host; `routed` says whether it has routes. A request without a host is at none that has one. */
  kindOf(host: string, routed: boolean): HostKind
  /**
   * Returns undefined if the routes decide. `switches` are those of the matching route, undefined if none matches. Paths are
   * compared as received, byte for byte.
   */
  find(
    request: Pick<EdgeRequest, 'path' | 'method'>,
    at: HostKind,
    switches: RouteSwitches | undefined,
  ): OwnPathHandler | undefined
}

/** The path of forward-auth requests. Envoy appends the path that it asks about. */
export const forwardAuthPath = '/auth/forward'

/** Whether a path or request target is a forward-auth request about another request. */
export const isForwardAuth = (target: string): boolean => /^\/auth\/forward(?:[/?]|$)/.test(target)
