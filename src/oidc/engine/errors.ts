import type { EventEmitter } from 'node:events'
import type Provider from 'oidc-provider'
import { AppError } from '../../contract/errors.ts'
import type { Log } from '../../log/log.ts'
import { asUnavailable } from '../../storage/unavailable.ts'
import type { EnginePages } from './pages.ts'
import type { Context } from './types.ts'

interface Parts {
  readonly log: Log
  readonly pages: Pick<EnginePages, 'error'>
}

/** A refusal of the engine's own, as it writes them (RFC 6749 section 5.2). */
interface Refusal extends Error {
  readonly expose: true
  readonly statusCode: number
  readonly error_description?: string
}

const isRefusal = (error: unknown): error is Refusal =>
  error instanceof Error && (error as Partial<Refusal>).expose === true && 'statusCode' in error

/** Nothing, in place of what the engine refused; any other error is none of its answers. */
export const orNothing = (error: unknown): undefined => {
  if (!isRefusal(error)) throw error
  return undefined
}

/** The fault of the database behind an error, or undefined for any other. */
const storageFault = (error: unknown): AppError | undefined => {
  const told = asUnavailable(error)
  return told instanceof AppError && told.error === 'unavailable' ? told : undefined
}

const away = {
  error: 'temporarily_unavailable',
  error_description: 'This cannot be decided at the moment. Try again shortly.',
}

/**
 * Writes down what went wrong inside the engine. Where it was the database, programs are told to come again (RFC 6749 section
 * 4.1.2.1): the engine would call it an error of its own, after which some give up for good.
 */
export const answerFaults = (provider: Provider, { log, pages }: Parts): void => {
  const faults = new WeakMap<object, Error>()
  const failed = (ctx: Pick<Context, 'path'>, error: Error): void => {
    const fault = storageFault(error)
    if (!fault)
      return log.error({ path: ctx.path, error: error.stack }, 'internal error of the OpenID provider')
    if (!faults.has(ctx)) {
      const cause = fault.cause instanceof Error ? fault.cause.message : ''
      log.error({ path: ctx.path, error: cause }, 'the database does not answer')
    }
    faults.set(ctx, fault)
  }
  provider.on('server_error', failed)
  // Where it has no page for it; without a listener it would be written past our log.
  const errors: EventEmitter = provider
  errors.on('error', (error: Error & { expose?: boolean }, ctx: Context) => {
    if (!error.expose) failed(ctx, error)
  })
  provider.use(async (koa, next) => {
    const ctx = koa as Context
    try {
      await next()
    } catch (error) {
      // A guest's session is written at the very end, past all of the engine's own answers to errors.
      if (storageFault(error)) failed(ctx, error as Error)
      else if (!isRefusal(error)) throw error
      else {
        ctx.status = error.statusCode
        await pages.error(ctx, { error: error.message, error_description: error.error_description! }, error)
      }
    }
    const fault = faults.get(ctx)
    if (!fault) return
    ctx.status = 503
    ctx.set('retry-after', '5')
    await pages.error(ctx, away, fault)
  })
}
