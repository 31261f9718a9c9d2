import { conflict } from './errors.ts'
import type { Principal, ShownToken } from './principal.ts'
import type { ProofRule } from './proofs.ts'

/** The door that a call came through. `browser` stands for our own pages: they get a cookie, while programs get a token. */
export type Via = 'socket' | 'edge' | 'browser'

/** Who makes a call, identified before any method runs: the principal, the door it used, and the claims it holds here. */
export interface Caller extends Partial<Pick<Principal, 'user_id' | 'proofs'>> {
  /**
   * `operator`: root or the daemon's own user on rpc.sock; holds every claim. `service`: another local user, listed in
   * `services.*`. `client`: a program from `clients.*` that acts for itself.
   */
  readonly kind: 'operator' | 'service' | 'client' | 'user' | 'guest'
  readonly via: Via
  /** The username, the name of the service, the client_id, `system` for the operator, or empty for a guest. */
  readonly name: string
  readonly claims: ReadonlySet<string>
  readonly session_id?: string
  /** Whether trust in the browser took the place of the second factor: then only the factor proves freshly who the person is. */
  readonly by_trust?: boolean
  /** Username of the person whom this administrator impersonates at forwarded services; decides nothing here. */
  readonly on_behalf?: string
  /**
   * The claims that the session does not hold for want of a proof, and the proof that brings them. `byGroup`: a group of the person asks
   * for it, so they may only look after their own account.
   */
  readonly lacks?: {
    readonly claims: ReadonlySet<string>
    readonly rule: ProofRule
    readonly byGroup: boolean
  }
  /** What the session lacks before it may hold claims of administrators, for every person. */
  readonly lacksAdministration?: ProofRule | undefined
  /** The personal token or JWT that the call carries, with its scope. It never counts as a fresh proof. */
  readonly token?: Pick<ShownToken, 'id' | 'scope'> | undefined
  /**
   * True if the call came at the host of a service, or with its session. The service, and every script on its pages, can make such
   * calls, so they manage nothing.
   */
  readonly atService?: boolean
  /** Id of the sign-in that this browser already has. The same person keeps it; for another one, the page asks. */
  readonly replaces?: string | undefined
  /** What the person chose on our sign-in page. */
  readonly wishes?: Wishes
  /** The value of the cookie of a trusted browser. Only pages of home show it. */
  readonly trusted?: string | undefined
  /** How the person signed in: a method of our own, or the name of a provider. */
  readonly provider?: string
  /** The person whose network a guest calls from. `auth.me` shows it; it grants no rights. */
  readonly networkUser?: { readonly user_id: string; readonly name: string }
  /** The kernel reports it for local callers (SO_PEERCRED). */
  readonly uid?: number
  readonly pid?: number
  readonly address?: string
  /** Whether that address is surely the client's own, and not of a proxy that we do not trust. Only pages of home say so. */
  readonly located?: boolean
  readonly user_agent?: string
  /** What the cookie says by which we recognise a browser at sign-in. It proves nothing. */
  readonly device?: string | undefined
  /** The browser that makes the call, as a digest of a cookie that only it has. */
  readonly browser?: string | undefined
  /** The language of the page that makes the call, if its reader asked for one that we offer. */
  readonly language?: string | undefined
  /** Aborted when the client has gone, so that a waiting call can stop. */
  readonly gone?: AbortSignal | undefined
  /** Looks up the same caller again; inside `write`, as part of that transaction. Throws unauthenticated if it is no longer valid. */
  readonly again?: () => Promise<Caller>
}

/** Of a sign-in that another device of its person opened. Nothing was proved in it, and nothing can be until they sign in anew. */
export const anotherDevice = 'another_device'

/** What people choose when they sign in. Only pages of home carry it. */
export interface Wishes {
  /** To stay signed in in this browser. */
  readonly remember: boolean
  /** To give no second factor in this browser any more. */
  readonly trust: boolean
}

const noWishes: Wishes = { remember: false, trust: false }

export const wishes = ({ wishes = noWishes }: Caller): Wishes => wishes

/** The same caller, whose wish to stay signed in was noted at an earlier step. */
export const wishing = (caller: Caller, remember: boolean): Caller => ({
  ...caller,
  wishes: { ...wishes(caller), remember },
})

const none: ReadonlySet<string> = new Set()

export const guest = (
  from: Pick<
    Caller,
    | 'via'
    | 'uid'
    | 'pid'
    | 'address'
    | 'user_agent'
    | 'browser'
    | 'device'
    | 'language'
    | 'gone'
    | 'atService'
  >,
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

/** Throws conflict for an administrator who impersonates a user: credentials cannot be changed during that time. */
export const refuseWhileImpersonating = ({ on_behalf }: Caller): void => {
  if (on_behalf !== undefined)
    throw conflict(`Not while you act as ${on_behalf}; stop that first`, {
      reason: 'impersonating',
      user: on_behalf,
    })
}

/**
 * Throws conflict for a sign-in that another device opened: it proves nothing, makes nothing that outlasts it, and ends nothing but
 * itself.
 */
export const refuseByAnotherDevice = (
  { provider }: Caller,
  reason: 'elsewhere_weak' | 'elsewhere_proves_nothing' = 'elsewhere_proves_nothing',
): void => {
  if (provider === anotherDevice)
    throw conflict('Another device opened this sign-in: sign in anew to do this', { reason })
}
