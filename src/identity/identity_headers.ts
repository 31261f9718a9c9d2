import type { AuthMethod, Proof } from '../contract/principal.ts'

/** The identity that a service receives: the identity headers are made from this and from nothing else. */
export interface Identity {
  /** Not sent as a header; the signed assertion names the session. */
  readonly proof: Proof
  readonly username: string
  readonly context: number
  /** As sent: comma separated, no spaces. */
  readonly claims: string
  readonly email: string | null
  /** The administrator who acts as this user. */
  readonly impersonator: string | undefined
  /** The same identity, signed. */
  readonly assertion: string | undefined
  /** The person's token from their identity provider, if the route passes it on. */
  readonly provider_token?: string | undefined
}

/** Who sent a request, and how they proved it. */
interface Proven {
  /** Undefined for a guest. */
  readonly identity: Identity | undefined
  readonly method: AuthMethod
  /** The key that signed the request, in hex. */
  readonly pubkey?: string | undefined
}

/** Every header that may name the caller to a service. */
export const identityHeaderNames = [
  'X-Hero-User',
  'X-Hero-Context',
  'X-Hero-Claims',
  'X-Hero-Impersonator',
  'X-Hero-Assertion',
  'X-Proxy-User-Email',
  'X-Proxy-User-Pubkey',
  'X-Proxy-Provider-Token',
  'X-Proxy-Auth-Method',
] as const

/** Returns the headers that name the caller to a service, as a flat list. */
export const identityHeaders = (proven: Proven): string[] => addIdentity([], proven)

/** Appends the same headers to a flat list, and returns it. */
export const addIdentity = (list: string[], { identity, method, pubkey }: Proven): string[] => {
  const add = (name: (typeof identityHeaderNames)[number], value: string) => list.push(name, value)
  add('X-Proxy-Auth-Method', method)
  if (identity) {
    add('X-Hero-User', sendableValue(identity.username))
    add('X-Hero-Context', String(identity.context))
    add('X-Hero-Claims', sendableValue(identity.claims))
    if (identity.email !== null) add('X-Proxy-User-Email', sendableValue(identity.email))
    if (pubkey !== undefined) add('X-Proxy-User-Pubkey', pubkey)
    if (identity.impersonator !== undefined) add('X-Hero-Impersonator', sendableValue(identity.impersonator))
    if (identity.assertion !== undefined) add('X-Hero-Assertion', identity.assertion)
    if (identity.provider_token !== undefined && plainToken.test(identity.provider_token))
      add('X-Proxy-Provider-Token', identity.provider_token)
  }
  return list
}

/** The characters that a header value may contain: a stray line break in the database must not become another header. */
const sendable = /^[\t\u0020-\u007e\u0080-\u00ff]*$/

const sendableValue = (value: string): string => {
  if (!sendable.test(value)) throw new TypeError('an identity header cannot hold this value')
  return value
}

/** Tokens as in RFC 6750 section 2.1, and the other characters that some providers use. No other token is passed on. */
const plainToken = /^[\x21-\x7e]{1,8192}$/
