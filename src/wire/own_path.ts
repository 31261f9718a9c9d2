import type { IncomingMessage, ServerResponse } from 'node:http'
import type { EdgeRequest } from './request.ts'

/** Answers a request at one of our own paths. */
export type OwnPathHandler = (
  request: IncomingMessage,
  response: ServerResponse,
  asked: EdgeRequest,
) => void | Promise<void>

/** A kind of host: that of the public URL, any other that has a route, and one that has none. */
export type HostKind = 'home' | 'routed' | 'unrouted'

export const homeAndRouted: readonly HostKind[] = ['home', 'routed']

/** A row of the list of our own paths. Routes do not reach what it covers. */
export interface OwnPath {
  /** Compared as received, byte for byte. `/{name}` at its end stands for one more segment, `/*` for everything below. The most exact path counts. */
  readonly path: string
  /** GET stands for HEAD too. An empty list stands for every method. */
  readonly methods: readonly string[]
  /** What a POST carries. Of two rows that differ in nothing else, JSON is for one and every other body for the other. */
  readonly takes?: 'json' | 'form'
  readonly at: readonly HostKind[]
  /** What becomes of the methods that no row of the path names: they go to the route, or without this they get 405. */
  readonly otherMethods?: 'route'
  /** `door` where the door answers before it looks here. Left out where the path is ours and nothing answers there: 404. */
  readonly handler?: OwnPathHandler | 'door'
}

/** Finds what answers at a path of ours. */
export interface OwnPathTable {
  /** Returns undefined where routes decide. Paths are compared as received, byte for byte. */
  find(asked: Pick<EdgeRequest, 'path' | 'host' | 'method'>): OwnPathHandler | undefined
}
