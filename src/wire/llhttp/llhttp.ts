// llhttp, the HTTP parser of Node, as WebAssembly. It is as strict as the one in node:http, but reports positions instead of making
// strings. We never parse framing by hand.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

// Node has WebAssembly, but TypeScript declares it only in its types for browsers.
declare const WebAssembly: {
  Module: new (bytes: Buffer) => object
  Instance: new (module: object, imports: object) => { readonly exports: unknown }
}

/**
 * The newest release of llhttp whose changes since llhttp.wasm (9.3.1) have been reviewed. Up to 9.4.3 they concern line ends of status
 * lines and tabs around values. Such messages are not in the usual form and go to Node's own parser.
 */
export const comparedWith = '9.4.3'

interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer }
  _initialize(): void
  malloc(size: number): number
  llhttp_alloc(type: number): number
  llhttp_reset(parser: number): void
  llhttp_execute(parser: number, at: number, length: number): number
  llhttp_get_error_pos(parser: number): number
  llhttp_get_method(parser: number): number
  llhttp_get_http_major(parser: number): number
  llhttp_get_http_minor(parser: number): number
}

/** Called by llhttp while it parses; `at` is an address in its memory. Return 0 to continue. */
interface Callbacks {
  wasm_on_message_begin(parser: number): number
  wasm_on_url(parser: number, at: number, length: number): number
  wasm_on_status(parser: number, at: number, length: number): number
  wasm_on_header_field(parser: number, at: number, length: number): number
  wasm_on_header_value(parser: number, at: number, length: number): number
  wasm_on_headers_complete(parser: number, status: number, upgrade: number, keepAlive: number): number
  wasm_on_body(parser: number, at: number, length: number): number
  wasm_on_message_complete(parser: number): number
}

/** Constants of llhttp. */
export const typeOf = { request: 1, response: 2 } as const
export const errorCode = { ok: 0, pausedUpgrade: 22 } as const
/** Results of `wasm_on_headers_complete`: read the body, expect no body, or stop after the head with `pausedUpgrade`. */
export const afterHead = { readBody: 0, noBody: 1, stop: 2 } as const

export const instantiate = (callbacks: Callbacks): Exports => {
  const module = new WebAssembly.Module(readFileSync(join(import.meta.dirname, 'llhttp.wasm')))
  const exports = new WebAssembly.Instance(module, { env: callbacks }).exports as Exports
  exports._initialize()
  return exports
}
