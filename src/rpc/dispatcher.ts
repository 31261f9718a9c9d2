import { setTimeout as delay } from 'node:timers/promises'
import type { Audit } from '../audit/audit.ts'
import type { Caller } from '../contract/caller.ts'
import { AppError } from '../contract/errors.ts'
import type { Counters } from '../metrics/counters.ts'
import type { Log } from '../log/log.ts'
import type { Method } from '../contract/method.ts'
import type { Database } from '../storage/database.ts'
import { asUnavailable } from '../storage/unavailable.ts'
import { whenReady } from '../storage/when_ready.ts'
import { authorise } from '../identity/method_rule.ts'
import { namedParams, validateParams, validateResult } from './validation.ts'

/** The parameters that name things, in their order in the audit. No other parameter is written to it. */
const naming = [
  'group',
  'slug',
  'user',
  'username',
  'provider',
  'subject',
  'network',
  'pubkey',
  'member_group',
  'role',
  'client',
  'name',
  'claim',
  'domain',
  'id',
  'key',
] as const

/**
 * The parameters of a refused call were never validated. The audit must not get long or unprintable text, half a surrogate pair or
 * a direction mark that would change its meaning, or a value that looks like another `name=value`.
 */
const visible = (text: string) => text.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, '?')
const word = (text: string) => {
  const shown = visible(text.slice(0, 260))
  return /^[\w.:@+*/?-]*$/.test(shown) ? shown : JSON.stringify(shown)
}

const targetOf = (params: Readonly<Record<string, unknown>>): string =>
  naming
    .filter((name) => typeof params[name] === 'string')
    .map((name) => `${name}=${word(params[name] as string)}`)
    .join(' ')

/** Longer than the work of a paced method takes by a wide margin, and too short for people to notice. */
const beatMs = 50

/** Waits for the end of the beat, also if the work fails. What is wrong with the parameters themselves is no secret. */
const paced = async <T>(work: () => Promise<T>): Promise<T> => {
  const began = performance.now()
  const endOfBeat = () => {
    const took = performance.now() - began
    return delay(Math.ceil(took / beatMs) * beatMs - took)
  }
  try {
    const result = await work()
    await endOfBeat()
    return result
  } catch (error) {
    if (!(error instanceof AppError && error.error === 'invalid_params')) await endOfBeat()
    throw error
  }
}

/** All methods, and the only way to call them: find, authorise, validate, run the handler, validate the result, audit. */
export class Dispatcher {
  readonly methods: readonly Method[]
  readonly #byName = new Map<string, Method>()
  readonly #database: Database
  readonly #audit: Audit
  readonly #log: Log
  readonly #counters: Pick<Counters, 'calls'>

  constructor(
    methods: readonly Method[],
    database: Database,
    audit: Audit,
    log: Log,
    counters: Pick<Counters, 'calls'>,
  ) {
    this.methods = methods
    this.#database = database
    this.#audit = audit
    this.#log = log
    this.#counters = counters
    for (const method of methods) {
      for (const name of [method.name, ...(method.aliases ?? [])]) {
        if (this.#byName.has(name)) throw new TypeError(`two methods have the name ${name}`)
        this.#byName.set(name, method)
      }
    }
  }

  /** Whether the method changes nothing. Only then can it return a result without a promise. */
  isRead(name: string): boolean {
    return this.#byName.get(name)?.effect === 'read'
  }

  /** Calls a method. Rejects with AppError for an expected failure, and with any other error for a bug. */
  readonly call = async (name: string, params: unknown, caller: Caller): Promise<unknown> =>
    this.answer(name, params, caller)

  /** The same, without a promise if the method needs none. Then it throws instead of rejecting. */
  answer(name: string, params: unknown, caller: Caller): unknown {
    try {
      const answer = this.#answer(name, params, caller)
      return answer instanceof Promise
        ? answer.catch((fault: unknown) => {
            throw this.#failure(name, fault)
          })
        : answer
    } catch (fault) {
      throw this.#failure(name, fault)
    }
  }

  /** Converts a fault to the error to report. */
  #failure(name: string, fault: unknown): unknown {
    const error = asUnavailable(fault)
    if (error instanceof AppError && error.cause instanceof Error)
      this.#log.error({ method: name, error: error.cause.message }, 'the database does not answer')
    return error
  }

  #answer(name: string, params: unknown, caller: Caller): unknown {
    this.#counters.calls++
    const method = this.#byName.get(name)
    if (!method) throw new AppError('method_not_found')
    const named = namedParams(method, params)
    if (method.effect === 'read') return this.#read(method, named, caller)
    return method.paced ? paced(() => this.#write(method, named, caller)) : this.#write(method, named, caller)
  }

  #read(method: Method, params: Record<string, unknown>, caller: Caller): unknown {
    authorise(method, params, caller)
    validateParams(method, params)
    return whenReady(method.prepare?.(params, caller), (prepared) =>
      whenReady(method.handler(params, caller, prepared), (result) => {
        validateResult(method, result)
        return result
      }),
    )
  }

  async #write(method: Method, params: Record<string, unknown>, caller: Caller): Promise<unknown> {
    let describeTarget = () => targetOf(params)
    try {
      authorise(method, params, caller)
      validateParams(method, params)
      let prepared: unknown
      describeTarget = () => visible(method.target?.(params, undefined, prepared) ?? targetOf(params))
      prepared = await method.prepare?.(params, caller)
      const change = async () => {
        // Hashing, or waiting for the write lock, took time. A caller that has lost the right since then must not change anything.
        const present = (await caller.again?.()) ?? caller
        if (present !== caller) authorise(method, params, present)
        const result = await method.handler(params, present, prepared)
        validateResult(method, result)
        const target = method.target?.(params, result, prepared) ?? targetOf(params)
        await this.#audit.append(present, method.name, visible(target), 'ok')
        return result
      }
      const write = () => this.#database.write(change)
      return await (method.large ? this.#database.inBackground(write) : write())
    } catch (error) {
      await this.#auditFailure(method, describeTarget, caller, error)
      throw error
    }
  }

  /**
   * Refusals are audited too. For guests this applies only to public methods (such as sign-in and set-up), so that a stranger cannot
   * fill the audit with calls to methods that are closed anyway.
   */
  async #auditFailure(
    method: Method,
    /** Describes what the call was about, as far as it was read before the refusal. */
    describeTarget: () => string,
    caller: Caller,
    fault: unknown,
  ): Promise<void> {
    const error = asUnavailable(fault)
    const outcome = error instanceof AppError ? error.error : 'internal_error'
    if (outcome === 'invalid_params' || outcome === 'rate_limited' || outcome === 'unavailable') return
    if (caller.kind === 'guest' && method.claim !== null) return
    const about = error instanceof AppError ? error.about : undefined
    const target = about ?? describeTarget()
    try {
      await this.#database.write(() => this.#audit.append(caller, method.name, target, outcome))
    } catch (fault) {
      this.#log.error(
        { method: method.name, outcome, error: (fault as Error).message },
        'a refusal could not be audited',
      )
    }
  }
}
