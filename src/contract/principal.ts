import type { TokenScope } from './token_scopes.ts'

/** How a principal proved who they are; `local` and `oauth` are sessions, opened in our own ways or by a provider. */
export type AuthMethod = 'none' | 'network' | 'bearer' | 'oauth' | 'local' | 'signature'

/** The one thing that somebody is known by: a session, or what names them without one. Its id is unique among those of its kind. */
export interface Proof {
  readonly by: 'session' | 'token' | 'network' | 'key' | 'route_test'
  readonly id: string
}

/** Whether a browser sends the proof along by itself, also for pages of others: then an upgrade must come from a page of this origin. */
export const sentByBrowser: Readonly<Record<AuthMethod, boolean>> = {
  none: false,
  // Where it is looked up, a request of a page of another origin is a guest's.
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

/** The person whom an administrator acts as, until a time in Unix seconds. */
export interface Overlay extends Subject {
  readonly is_admin: boolean
  readonly until: number
}

/** A program that acts for itself: a client of ours, or a local service. */
export interface Program {
  readonly kind: 'client' | 'service'
  readonly name: string
  readonly claims: readonly string[]
}

/** A token that belongs to no session: one that a person or a service keeps, or a JWT. */
export interface ShownToken {
  readonly kind: 'personal' | 'access'
  readonly id: string
  /** How far it goes. */
  readonly scope: TokenScope
  /** The resource that it is for (RFC 8707): the issuer for our own doors. */
  readonly aud: string
  readonly expires_at: number
  /** The client that acts. */
  readonly client_id: string | undefined
}

/**
 * Who is asking, however that was proved: a person, or a program in place of one. It says nothing about rights; those depend on where the
 * principal goes. A living session is a principal itself.
 */
export interface Principal extends Subject {
  readonly proof: Proof
  readonly method: AuthMethod
  /** When the person last proved who they are, in Unix seconds; known of a session alone. */
  readonly proven_at?: number
  /** Whom the person acts as at forwarded services; ask `impersonated` whether it still counts. */
  readonly overlay?: Overlay | undefined
  readonly token?: ShownToken
  /** Then `user_id` is empty, and `username` names the program with its kind, as no person is called. */
  readonly program?: Program
}
