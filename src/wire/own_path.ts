import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Asked } from './request.ts'

/** What answers at one of our own paths. */
export type OwnPath = (
  request: IncomingMessage,
  response: ServerResponse,
  asked: Asked,
) => void | Promise<void>

/** What answers, by method. */
export type Methods = Readonly<Record<string, OwnPath>>

/** Finds what answers at a path of ours. */
export interface OwnPathTable {
  /** Returns undefined where routes decide. Paths are compared as received, byte for byte. */
  find(asked: Pick<Asked, 'path' | 'host' | 'method'>): OwnPath | undefined
}
