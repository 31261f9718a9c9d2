import type { ProofTimes } from './proofs.ts'
import type { TokenScope } from './token_scopes.ts'

/** How a principal was identified. `local` and `oauth` are sessions, opened by our own sign-in or by a provider. */
export type AuthMethod = 'none' | 'network' | 'bearer' | 'oauth' | 'local' | 'signature'

/** What identifies a principal: a session, or a token, key or network. Its id is unique among proofs of the same kind. */
export interface Proof {
  readonly by: 'session' | 'token' | 'network' | 'key' | 'route_test'
  readonly id: string
}

/** Whether a browser sends the proof by itself, also for pages of other sites. If so, an upgrade must come from a page of this origin. */
export const sentByBrowser: Readonly<Record<AuthMethod, boolean>> = {
  none: false,
  // The look-up itself treats a request from a page of another origin as a guest's.
  network: false,
  bearer: false,
  oauth: true,
  local: true,
  signature: false,
}

/** A person, as services see them. */
interface Subject {
  readonly user_id: string
  readonly username: string
  readonly email: string | null
  readonly email_verified_at: number | null
  readonly context: number
}

/** The person whom an administrator impersonates, until a time in Unix seconds. */
export interface Overlay extends Subject {
  readonly is_admin: boolean
  readonly until: number
  /** The services that see that person; an empty list means all. */
  readonly services: readonly string[]
}

/** A program that acts for itself: a client of ours, or a local service. */
export interface Program {
  readonly kind: 'client' | 'service'
  readonly name: string
  readonly claims: readonly string[]
}

/** A token that belongs to no session: a personal token of a person or a service, or a JWT. */
export interface ShownToken {
  readonly kind: 'personal' | 'access'
  readonly id: string
  readonly scope: TokenScope
  /** The resource that the token is for (RFC 8707): the issuer for our own doors. */
  readonly aud: string
  readonly expires_at: number
  /** The client that acts. */
  readonly client_id: string | undefined
  /** How strongly the person had proved who they are when it was issued, how, and when; only JWTs of people say so. */
  readonly acr?: string | undefined
  readonly amr?: readonly string[] | undefined
  readonly auth_time?: number | undefined
}

/**
 * Who sent a request, however they proved it: a person, or a program in place of one. It says nothing about rights, which depend
 * on where the request goes. A valid session is itself a principal.
 */
export interface Principal extends Subject {
  readonly proof: Proof
  readonly method: AuthMethod
  /** What the person proved and when; known for sessions, and for access tokens that say so. */
  readonly proofs?: ProofTimes | undefined
  /** The proof that opened the sign-in; of sessions only. */
  readonly provider?: string
  /** The person to impersonate at forwarded services; `impersonated` decides whether it still counts. */
  readonly overlay?: Overlay | undefined
  readonly token?: ShownToken
  /** If set, `user_id` is empty, and `username` is the kind and name of the program, which no person can have. */
  readonly program?: Program
}
