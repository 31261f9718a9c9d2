import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Body, ClientResponse, ReceivedRequest } from '../../wire/client_response.ts'
import type { UsualRequest } from '../../wire/usual_request.ts'

/** Serves the requests that the listeners accept. `Door` implements it. */
export interface Handler {
  /** Serves a request that node:http has read. */
  request(request: IncomingMessage, response: ServerResponse): Promise<void>
  /** Serves a request of the fast lane. Returns false if node:http has to serve it. */
  serveFast(request: UsualRequest, to: ClientResponse, body: Body | undefined): boolean | Promise<boolean>
  /** Serves a request to switch protocols; `early` holds the bytes that arrived after its head. */
  upgrade(request: IncomingMessage, socket: Duplex, early: Buffer): Promise<void>
  /** Answers a request whose handling threw `fault`. */
  broke(fault: unknown, sent: ReceivedRequest, to: ClientResponse): void
  close(): void
}
