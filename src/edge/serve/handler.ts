import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Body, Recipient, Sent } from '../../wire/client_response.ts'
import type { UsualRequest } from '../../wire/usual_request.ts'

/** What serves the requests that listeners take. The door of the edge is one. */
export interface Handler {
  /** Serves a request that node:http has read. */
  request(request: IncomingMessage, response: ServerResponse): Promise<void>
  /** Serves a request of the fast lane, or returns false where node:http has to serve it. */
  serveFast(request: UsualRequest, to: Recipient, body: Body | undefined): boolean | Promise<boolean>
  /** Serves a request to switch protocols; `early` holds the bytes that came behind its head. */
  upgrade(request: IncomingMessage, socket: Duplex, early: Buffer): Promise<void>
  /** Answers what could not be served because of `fault`. */
  broke(fault: unknown, sent: Sent, to: Recipient): void
  close(): void
}
