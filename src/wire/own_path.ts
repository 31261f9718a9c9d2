import type { IncomingMessage, ServerResponse } from 'node:http'
import type { EdgeRequest } from './request.ts'

/** Answers a request at one of our own paths. */
export type OwnPathHandler = (
  request: IncomingMessage,
  response: ServerResponse,
  asked: EdgeRequest,
) => void | Promise<void>

/** A kind of host: the host of the public URL, another host with a route, or a host without one. */
export type HostKind = 'home' | 'routed' | 'unrouted'

export const homeAndRouted: readonly HostKind[] = ['home', 'routed']

/** A row of the list of our own paths. Routes never get a request that it covers. */
export interface OwnPath {
  /** Compared as received, byte for byte. A final `/{name}` matches one more segment, a final `/*` everything below. The most specific path wins. */
  readonly path: string
  /** GET includes HEAD. An empty list means every method. */
  readonly methods: readonly string[]
  /** What a POST carries. If two rows differ only in this, one gets JSON and the other gets every other body. */
  readonly takes?: 'json' | 'form'
  readonly at: readonly HostKind[]
  /** `route` sends every method that no row of the path names to the route. Without it, such a method gets 405. */
  readonly otherMethods?: 'route'
  /** `door` if the door answers before it looks here. Without a handler, the path is reserved and gets 404. */
  readonly handler?: OwnPathHandler | 'door'
}

/** Finds the handler of an own path. */
export interface OwnPathTable {
  /** Returns undefined if the routes decide. Paths are compared as received, byte for byte. */
  find(request: Pick<EdgeRequest, 'path' | 'host' | 'method'>): OwnPathHandler | undefined
}
