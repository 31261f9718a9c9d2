import { conflict } from './errors.ts'
import type { Principal, ShownToken } from './principal.ts'

/** By which door a call came in. `browser` are our own pages: they get a cookie where programs get a token. */
export type Via = 'socket' | 'edge' | 'browser'

/** Who makes this call, identified before any method sees it: a principal, the door it came by, and the claims it holds here. */
export interface Caller extends Partial<Pick<Principal, 'user_id' | 'proven_at'>> {
  /**
   * `operator`: whoever can open rpc.sock as the daemon's own user and root; holds every claim. `service`: another local user that
   * `services.*` names. `client`: a program of `clients.*` that acts for itself.
   */
  readonly kind: 'operator' | 'service' | 'client' | 'user' | 'guest'
  readonly via: Via
  /** Username, name of the service, client_id, `system` for the operator, empty for a guest. */
  readonly name: string
  readonly claims: ReadonlySet<string>
  readonly session_id?: string
  /** Username of the person that this administrator acts as at forwarded services; decides nothing here. */
  readonly on_behalf?: string
  /** Came with a token that somebody keeps or a JWT: which one, and how far it goes. It is no proof of the last minutes. */
  readonly token?: Pick<ShownToken, 'id' | 'scope'> | undefined
  /**
   * Came with a cookie at another host than that of the public URL: pages of the service there can send it too, so it gives
   * nobody ways in or rights.
   */
  readonly atService?: boolean
  /** The session of the same browser, which ends when another begins there. */
  readonly replaces?: string | undefined
  /** How the person signed in: one of our own ways, or the name of a provider. */
  readonly provider?: string
  /** Whose network a guest calls from: `auth.me` tells it, and it gives no right at all. */
  readonly networkUser?: { readonly user_id: string; readonly name: string }
  /** Told by the kernel for local callers (SO_PEERCRED). */
  readonly uid?: number
  readonly pid?: number
  readonly address?: string
  readonly user_agent?: string
  /** The language of the page that the call comes from, where its reader asked for one of ours. */
  readonly language?: string | undefined
  /** Aborted when nobody is left to be answered: for calls that wait. */
  readonly gone?: AbortSignal | undefined
  /** The same caller as things stand now; inside `write`, as they stand for that change. Throws unauthenticated. */
  readonly again?: () => Promise<Caller>
}

const none: ReadonlySet<string> = new Set()

export const guest = (
  from: Pick<Caller, 'via' | 'uid' | 'pid' | 'address' | 'user_agent' | 'language' | 'gone'>,
): Caller => ({
  ...from,
  kind: 'guest',
  name: '',
  claims: none,
})

export const operator = (from: Pick<Caller, 'via' | 'uid' | 'pid' | 'address' | 'gone'>): Caller => ({
  ...from,
  kind: 'operator',
  name: 'system',
  claims: none,
})

export const service = (
  name: string,
  claims: readonly string[],
  from: Pick<Caller, 'via' | 'uid' | 'pid' | 'gone'>,
): Caller => ({
  ...from,
  kind: 'service',
  name,
  claims: new Set(claims),
})

/** Passwords, factors and every other way to be known are out of reach while acting as somebody else. */
export const refuseWhileImpersonating = ({ on_behalf }: Caller): void => {
  if (on_behalf !== undefined)
    throw conflict(`Not while you act as ${on_behalf}; stop that first`, {
      reason: 'impersonating',
      user: on_behalf,
    })
}
