import type { Static, TObject, TSchema } from './schema_builder.ts'
import type { Caller } from './caller.ts'
import type { ErrorName } from './errors.ts'

/**
 * Who may call: `null` for everyone; `'self'` for any signed-in caller, about itself; or a list of claims, of which one
 * is enough. In a list, `users.{username}` is the claim of the user that the parameter `username` names.
 * `users.{user?}` is the same for an optional parameter, which defaults to the caller. `groups.{group}.admin` is the
 * claim of administrators of the group that the parameter names. `groups.{request}.admin` is that of the group of a request for access.
 */
export type ClaimRule = null | 'self' | readonly string[]

export interface Example<P = Record<string, unknown>, R = unknown> {
  readonly name?: string
  readonly params: P
  readonly result: R
}

interface Definition<P extends TObject, R extends TSchema, W> {
  readonly name: string
  readonly summary: string
  readonly description?: string
  readonly effect: 'read' | 'write'
  readonly claim: ClaimRule
  /** Also open to guests who call from a user's network: only to identify them, never to grant a right. */
  readonly near?: true
  /**
   * Requires users with a session to have authenticated within the last minutes, because sessions can be stolen: for
   * methods that give access or rights. A function decides by the parameters, which are not validated yet.
   */
  readonly fresh?: true | ((params: Readonly<Record<string, unknown>>) => boolean)
  /**
   * The answer takes a whole number of beats, refusals too: the time that it took tells a stranger nothing about what was
   * found.
   */
  readonly paced?: true
  /** May delete the data of a million users: runs where that does not block the event loop. */
  readonly large?: true
  readonly params: P
  /** An allow-list: a field that is not listed here turns the answer into an internal error. */
  readonly result: R
  readonly errors?: readonly ErrorName[]
  /** Old names that still work but are deprecated. */
  readonly aliases?: readonly string[]
  readonly examples: readonly [Example<Static<P>, Static<R>>, ...Example<Static<P>, Static<R>>[]]
  /**
   * Slow work (hashing, network) that must not block the write transaction. Runs before it, and passes its result to
   * the handler.
   */
  readonly prepare?: (params: Static<P>, caller: Caller) => Promise<W>
  /**
   * The target in the audit log, as far as the call got. By default, the names among the parameters. Never a secret.
   */
  readonly target?: (params: Static<P>, result: Static<R> | undefined, prepared: W | undefined) => string
  readonly handler: (params: Static<P>, caller: Caller, prepared: W) => Static<R> | Promise<Static<R>>
}

/**
 * A definition after type checking, without its types: what the dispatcher, the documentation, the SDK and tests read.
 */
export type Method = Definition<TObject, TSchema, unknown>

/** Defines one RPC method. The types of params and result flow from the schemas into the handler. */
export const method = <P extends TObject, R extends TSchema, W = undefined>(
  definition: Definition<P, R, W>,
): Method => definition as unknown as Method

/** Calls a method by name, with all its checks. Rejects with AppError. Shared by all adapters. */
export type Call = (name: string, params: Record<string, unknown>, caller: Caller) => Promise<unknown>
