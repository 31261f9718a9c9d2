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

const maxBatch = 50
/** Characters that the large answers of a batch hold together: each costs whoever asks a line, and us its whole length in memory. */
const maxBatchText = 4 * 1024 * 1024
const large = 64 * 1024

type Id = string | number | null

/** Undefined where nothing is answered: to notifications. */
type Answer = JSONRPCResponse | undefined

/** Tells who calls; given the `authorization` that one request carries beside what its connection already proves. */
export type Identify = (authorization: string | undefined) => Caller | Promise<Caller>

const failure = (id: Id, error: ErrorName): JSONRPCErrorResponse => {
  const { code, message } = errorTable[error]
  return createJSONRPCErrorResponse(id, code, message, { code: error })
}

/** A batch's answers as text, the large ones each in a turn of the loop. What was done is told in any case: it is never large. */
const tell = async (answers: readonly JSONRPCResponse[]): Promise<string> => {
  let text = ''
  for (const answer of answers) {
    let one = JSON.stringify(answer)
    if (one.length > large) {
      await turn()
      if (text.length + one.length > maxBatchText) one = JSON.stringify(tooMuch(answer.id))
    }
    text += text === '' ? one : `,${one}`
  }
  return `[${text}]`
}

const tooMany = createJSONRPCErrorResponse(
  null,
  errorTable.invalid_request.code,
  `Invalid Request: at most ${maxBatch} calls in a batch`,
  { code: 'invalid_request' },
)

const tooMuch = (id: Id): JSONRPCErrorResponse =>
  createJSONRPCErrorResponse(
    id,
    errorTable.invalid_request.code,
    'Invalid Request: the large answers of a batch hold 4 MiB together; ask for this one alone',
    { code: 'invalid_request' },
  )

/** A number too large to be one (1e999) could not be given back as it came. */
const isId = (id: unknown): id is Id => id === null || typeof id === 'string' || Number.isFinite(id)

/**
 * RFC 8259 section 8.2: half a surrogate pair, written as an escape, is no character; every database would give it back as
 * another one, so that two names could become one. JSON.stringify writes only such halves as escapes.
 */
const holdsHalfPairs = (text: string, message: unknown): boolean =>
  /\\u[dD][89a-fA-F]/.test(text) && /(?<!\\)(?:\\\\)*\\ud[89a-f]/.test(JSON.stringify(message))

/**
 * JSON-RPC 2.0: text in, text out. json-rpc-2.0 runs each single valid call; what it leaves open is closed here: batches
 * (a batch of one answers an array, its size is bounded, nothing nests), envelopes that are not objects, and errors whose
 * text must not leave.
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
   * Answers one message (a request or a batch), or undefined where nothing is to be answered. Never throws or rejects. A read that
   * its method answers without a promise takes none here.
   */
  receive(bytes: Buffer, identify: Identify): string | undefined | Promise<string | undefined> {
    let message: unknown
    try {
      // RFC 8259 section 8.1: JSON between systems is UTF-8; broken bytes are not read as something else.
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
    const told = answers.filter((answer) => answer !== undefined)
    return told.length > 0 ? tell(told) : undefined
  }

  #single(message: unknown, identify: Identify): Answer | Promise<Answer> {
    if (typeof message !== 'object' || message === null || Array.isArray(message))
      return failure(null, 'invalid_request')
    const { jsonrpc, id, method, params, authorization } = message as Record<string, unknown>
    const known = isId(id) ? id : null
    const sound =
      jsonrpc === '2.0' &&
      typeof method === 'string' &&
      (id === undefined || isId(id)) &&
      (params === undefined || (typeof params === 'object' && params !== null)) &&
      (authorization === undefined || typeof authorization === 'string')
    if (!sound) return failure(known, 'invalid_request')
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

  /** json-rpc-2.0 makes a promise at each of its steps, so the result of a read goes past it. */
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

  /** Expected failures are told; of anything else only an id leaves, under which the cause is logged. */
  #failure(id: Id, error: unknown): JSONRPCErrorResponse {
    if (error instanceof AppError)
      return createJSONRPCErrorResponse(id, error.code, error.message, error.data)
    const incident = newId()
    this.#log.error(
      { incident, error: error instanceof Error ? error.stack : 'not an Error' },
      'internal error',
    )
    const { code, message } = errorTable.internal_error
    return createJSONRPCErrorResponse(id, code, message, { code: 'internal_error', incident })
  }
}
