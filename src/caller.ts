/** By which door a call came in. `browser` are our own pages: they get a cookie where programs get a token. */
export type Via = 'socket' | 'edge' | 'browser'

/** Who makes this call, identified before any method sees it. */
export interface Caller {
  /** `operator`: whoever can open rpc.sock as the daemon's own user or root; holds every claim. */
  readonly kind: 'operator' | 'user' | 'guest'
  readonly via: Via
  /** Username, `system` for the operator, empty for a guest. */
  readonly name: string
  readonly claims: ReadonlySet<string>
  readonly user_id?: string
  readonly session_id?: string
  /** Told by the kernel for local callers (SO_PEERCRED). */
  readonly uid?: number
  readonly pid?: number
  readonly address?: string
  readonly user_agent?: string
}

const none: ReadonlySet<string> = new Set()

export const guest = (from: Pick<Caller, 'via' | 'uid' | 'pid' | 'address' | 'user_agent'>): Caller => ({
  ...from,
  kind: 'guest',
  name: '',
  claims: none,
})

export const operator = (from: Pick<Caller, 'via' | 'uid' | 'pid' | 'address'>): Caller => ({
  ...from,
  kind: 'operator',
  name: 'system',
  claims: none,
})
