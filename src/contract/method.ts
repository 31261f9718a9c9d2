import type { Static, TObject, TSchema } from './schema_builder.ts'
import type { Caller } from './caller.ts'
import type { ErrorName } from './errors.ts'

/**
 * Who may call: `null` everybody; `'self'` any signed-in caller, about itself; a list of claims of which one suffices.
 * In a list, `users.{username}` stands for the claim of the person that the parameter `username` names, and
 * `users.{user?}` for the same where the parameter may be left out and then means the caller. `groups.{group}.admin`
 * stands for administering the group that the parameter names.
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
  /** Open as well to guests who call from somebody's network: for telling them so, and for nothing that gives a right. */
  readonly near?: true
  /**
   * Takes a proof of the last minutes from people with a session, for a session can be stolen: what gives ways in or rights.
   * A function decides by the parameters, which are not validated yet. `anywhere` is for what is about the session at the host
   * of a service; everything else is done at the public URL.
   */
  readonly fresh?: true | 'anywhere' | ((params: Readonly<Record<string, unknown>>) => boolean)
  /** May take away what a million people have of it: it runs where that does not hold the event loop. */
  readonly large?: true
  readonly params: P
  /** An allow-list: a field that is not named here turns the answer into an internal error. */
  readonly result: R
  readonly errors?: readonly ErrorName[]
  /** Old names that still work, deprecated. */
  readonly aliases?: readonly string[]
  readonly examples: readonly [Example<Static<P>, Static<R>>, ...Example<Static<P>, Static<R>>[]]
  /** Slow work (hashing, network) that must not hold the write transaction. Runs before it; what it returns reaches the handler. */
  readonly prepare?: (params: Static<P>, caller: Caller) => Promise<W>
  /** What the audit says the call was about, as far as it came; without it the names among the parameters are told. Never a secret. */
  readonly target?: (params: Static<P>, result: Static<R> | undefined, prepared: W | undefined) => string
  readonly handler: (params: Static<P>, caller: Caller, prepared: W) => Static<R> | Promise<Static<R>>
}

/** A definition whose types have been checked and forgotten: what dispatcher, document, SDK and tests read. */
export type Method = Definition<TObject, TSchema, unknown>

/** Defines one RPC method; types of params and result flow from the schemas into the handler. */
export const method = <P extends TObject, R extends TSchema, W = undefined>(
  definition: Definition<P, R, W>,
): Method => definition as unknown as Method

/** Calls a method by name with everything that guards it; rejects with AppError. What adapters share. */
export type Call = (name: string, params: Record<string, unknown>, caller: Caller) => Promise<unknown>
