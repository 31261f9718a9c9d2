import { isUtf8 } from 'node:buffer'
import { setImmediate as turn } from 'node:timers/promises'
import {
  createJSONRPCErrorResponse,
  createJSONRPCSuccessResponse,
  JSONRPCServer,
  type JSONRPCErrorResponse,
  type JSONRPCRequest,
  type JSONRPCResponse,
} from 'json-rpc-2.0'
import type { Caller } from '../contract/caller.ts'
import { AppError, errorTable, type ErrorName } from '../contract/errors.ts'
import type { Log } from '../log/log.ts'
import { newId } from '../storage/ids.ts'
import { whenReady } from '../storage/when_ready.ts'
import type { Dispatcher } from './dispatcher.ts'
import { sourceStack } from '../log/source_stack.ts'

const maxBatch = 50
/** A limit for all large responses of a batch together: a short request costs the client little, and us a long response in memory. */
const maxBatchCharacters = 4 * 1024 * 1024
const largeCharacters = 64 * 1024

type Id = string | number | null

/** Undefined for notifications, which get no response. */
type Answer = JSONRPCResponse | undefined

/** Returns the caller. `authorization` is the member of a single request, beside what the connection already proves. */
export type Identify = (authorization: string | undefined) => Caller | Promise<Caller>

const failure = (id: Id, error: ErrorName): JSONRPCErrorResponse => {
  const { code, message } = errorTable[error]
  return createJSONRPCErrorResponse(id, code, message, { code: error })
}

/** Prints the responses of a batch, each large one in its own turn of the event loop. Results of changes are small, so they are never dropped. */
const printBatch = async (answers: readonly JSONRPCResponse[]): Promise<string> => {
  let text = ''
  for (const answer of answers) {
    let printed = JSON.stringify(answer)
    if (printed.length > largeCharacters) {
      await turn()
      if (text.length + printed.length > maxBatchCharacters) printed = JSON.stringify(tooLarge(answer.id))
    }
    text += text === '' ? printed : `,${printed}`
  }
  return `[${text}]`
}

const tooMany = createJSONRPCErrorResponse(
  null,
  errorTable.invalid_request.code,
  `Invalid Request: a batch may have at most ${maxBatch} calls`,
  { code: 'invalid_request' },
)

const tooLarge = (id: Id): JSONRPCErrorResponse =>
  createJSONRPCErrorResponse(
    id,
    errorTable.invalid_request.code,
    'Invalid Request: the large responses of a batch exceed 4 MiB; send this call alone',
    { code: 'invalid_request' },
  )

/** A number that is too large (1e999) could not be returned as received. */
const isId = (id: unknown): id is Id => id === null || typeof id === 'string' || Number.isFinite(id)

/**
 * Half a surrogate pair, written as an escape, is not a character (RFC 8259 section 8.2). A database would return another one, so
 * two different names could become the same. JSON.stringify writes only such halves as escapes.
 */
const holdsHalfPairs = (text: string, message: unknown): boolean =>
  /\\u[dD][89a-fA-F]/.test(text) && /(?<!\\)(?:\\\\)*\\ud[89a-f]/.test(JSON.stringify(message))

/**
 * JSON-RPC 2.0: text in, text out. The library json-rpc-2.0 runs each valid call. This class adds what it leaves open: batches
 * (a batch of one gets an array, the size is bounded, batches do not nest), envelopes that are not objects, and errors whose text
 * must not reach the caller.
 */
export class Envelope {
  readonly #dispatcher: Dispatcher
  readonly #log: Log
  readonly #server: JSONRPCServer<Caller>

  constructor(dispatcher: Dispatcher, log: Log) {
    this.#dispatcher = dispatcher
    this.#log = log
    this.#server = new JSONRPCServer<Caller>({ errorListener: () => {} })
    this.#server.mapErrorToJSONRPCErrorResponse = (id, error: unknown) => this.#failure(id, error)
    for (const { name, aliases = [] } of dispatcher.methods) {
      for (const known of [name, ...aliases]) {
        this.#server.addMethod(known, (params, caller) => dispatcher.call(known, params, caller))
      }
    }
  }

  /**
   * Answers one message (a request or a batch). Returns undefined if there is no response. Never throws or rejects. Returns no
   * promise for a read whose method returns none.
   */
  receive(bytes: Buffer, identify: Identify): string | undefined | Promise<string | undefined> {
    let message: unknown
    try {
      // JSON between systems is UTF-8 (RFC 8259 section 8.1). Invalid bytes must not be read as other characters.
      if (!isUtf8(bytes)) return JSON.stringify(failure(null, 'parse_error'))
      const text = bytes.toString('utf8')
      message = JSON.parse(text)
      if (holdsHalfPairs(text, message)) return JSON.stringify(failure(null, 'parse_error'))
    } catch {
      return JSON.stringify(failure(null, 'parse_error'))
    }
    if (Array.isArray(message)) return this.#batch(message, identify)
    return whenReady(this.#single(message, identify), (answer) => answer && JSON.stringify(answer))
  }

  async #batch(messages: unknown[], identify: Identify): Promise<string | undefined> {
    if (messages.length === 0) return JSON.stringify(failure(null, 'invalid_request'))
    if (messages.length > maxBatch) return JSON.stringify(tooMany)
    const answers = await Promise.all(messages.map((message) => this.#single(message, identify)))
    const responses = answers.filter((answer) => answer !== undefined)
    return responses.length > 0 ? printBatch(responses) : undefined
  }

  #single(message: unknown, identify: Identify): Answer | Promise<Answer> {
    if (typeof message !== 'object' || message === null || Array.isArray(message))
      return failure(null, 'invalid_request')
    const { jsonrpc, id, method, params, authorization } = message as Record<string, unknown>
    const known = isId(id) ? id : null
    const valid =
      jsonrpc === '2.0' &&
      typeof method === 'string' &&
      (id === undefined || isId(id)) &&
      (params === undefined || (typeof params === 'object' && params !== null)) &&
      (authorization === undefined || typeof authorization === 'string')
    if (!valid) return failure(known, 'invalid_request')
    const notification = id === undefined
    if (!this.#server.hasMethod(method)) return notification ? undefined : failure(known, 'method_not_found')
    const fail = (error: unknown): Answer => {
      const answer = this.#failure(known, error)
      return notification ? undefined : answer
    }
    try {
      const answer = whenReady(identify(authorization), (caller) => this.#call(id, method, params, caller))
      return answer instanceof Promise ? answer.catch(fail) : answer
    } catch (error) {
      return fail(error)
    }
  }

  /** json-rpc-2.0 makes a promise at each step, so reads bypass it. */
  #call(id: Id | undefined, method: string, params: unknown, caller: Caller): Answer | Promise<Answer> {
    if (id === undefined || !this.#dispatcher.isRead(method)) return this.#run(id, method, params, caller)
    return whenReady(this.#dispatcher.answer(method, params, caller), (result) =>
      createJSONRPCSuccessResponse(id, result),
    )
  }

  async #run(id: Id | undefined, method: string, params: unknown, caller: Caller): Promise<Answer> {
    const request = { jsonrpc: '2.0', id, method, params } as JSONRPCRequest
    return (await this.#server.receive(request, caller)) ?? undefined
  }

  /** Reports expected failures. For any other error the caller gets only an id, under which the cause is logged. */
  #failure(id: Id, error: unknown): JSONRPCErrorResponse {
    if (error instanceof AppError)
      return createJSONRPCErrorResponse(id, error.code, error.message, error.data)
    const incident = newId()
    this.#log.error({ incident, error: sourceStack(error) }, 'internal error')
    const { code, message } = errorTable.internal_error
    return createJSONRPCErrorResponse(id, code, message, { code: 'internal_error', incident })
  }
}
