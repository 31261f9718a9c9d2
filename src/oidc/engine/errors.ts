import type { EventEmitter } from 'node:events'
import type Provider from 'oidc-provider'
import { AppError } from '../../contract/errors.ts'
import type { Log } from '../../log/log.ts'
import { asUnavailable } from '../../storage/unavailable.ts'
import type { EnginePages } from './pages.ts'
import type { Context } from './types.ts'
import { sourceStack } from '../../log/source_stack.ts'

interface Parts {
  readonly log: Log
  readonly pages: Pick<EnginePages, 'error'>
}

/** An OAuth error of the engine (RFC 6749 section 5.2). */
interface Refusal extends Error {
  readonly expose: true
  readonly statusCode: number
  readonly error_description?: string
}

const isRefusal = (error: unknown): error is Refusal =>
  error instanceof Error && (error as Partial<Refusal>).expose === true && 'statusCode' in error

/** Turns an OAuth error of the engine into undefined and rethrows any other error. */
export const orUndefined = (error: unknown): undefined => {
  if (!isRefusal(error)) throw error
  return undefined
}

/** Returns the database fault behind an error, or undefined for other errors. */
const storageFault = (error: unknown): AppError | undefined => {
  const fault = asUnavailable(error)
  return fault instanceof AppError && fault.error === 'unavailable' ? fault : undefined
}

const temporarilyUnavailable = {
  error: 'temporarily_unavailable',
  error_description: 'The server cannot answer this request at the moment. Try again shortly.',
}

/**
 * Logs internal errors of the engine. For a database fault, programs get temporarily_unavailable (RFC 6749 section 4.1.2.1). The
 * engine would answer server_error, after which some programs never try again.
 */
export const reportFaults = (provider: Provider, { log, pages }: Parts): void => {
  const faults = new WeakMap<object, Error>()
  const failed = (ctx: Pick<Context, 'path'>, error: Error): void => {
    const fault = storageFault(error)
    if (!fault)
      return log.error({ path: ctx.path, error: sourceStack(error) }, 'internal error of the OpenID provider')
    if (!faults.has(ctx)) {
      const cause = fault.cause instanceof Error ? fault.cause.message : ''
      log.error({ path: ctx.path, error: cause }, 'the database does not answer')
    }
    faults.set(ctx, fault)
  }
  provider.on('server_error', failed)
  // Koa emits `error` when the engine has no page for it. Without a listener, it would write to stderr instead of our log.
  const errors: EventEmitter = provider
  errors.on('error', (error: Error & { expose?: boolean }, ctx: Context) => {
    if (!error.expose) failed(ctx, error)
  })
  provider.use(async (koa, next) => {
    const ctx = koa as Context
    try {
      await next()
    } catch (error) {
      // The engine saves a guest's session last, outside its own error handling.
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
    await pages.error(ctx, temporarilyUnavailable, fault)
  })
}
