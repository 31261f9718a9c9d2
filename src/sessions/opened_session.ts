import { sql } from 'kysely'
import { bit } from '../storage/schema.ts'
import type { Vouching } from './vouchings.ts'

export interface SessionOrigin {
  readonly kind: 'cookie' | 'token'
  /** How the user authenticated: one of our own methods, or the name of a provider. */
  readonly provider: string
  /** The second factor that was verified; empty for none. */
  readonly factor: string
  /** Whether a passkey verified its user, which counts as a proof of every strength. */
  readonly by_passkey?: boolean
  readonly address: string
  readonly user_agent: string
  /** Whether trust in the browser took the place of the second factor. */
  readonly by_trust?: boolean
  /** Whether the person asked to stay signed in in this browser. */
  readonly remember?: boolean | undefined
  /** What a provider said, if one has vouched for the person. */
  readonly vouching?: Vouching | undefined
  /** When the user authenticated, in Unix seconds. Now if not given, 0 if unknown. */
  readonly proven_at?: number | undefined
  /** When the provider that vouches saw a second factor, in Unix seconds. */
  readonly second_at?: number | undefined
}

export interface OpenedSession {
  readonly id: string
  readonly token: string
  /** Seconds. */
  readonly expires_in: number
  /** Whether the browser keeps it when it is closed. */
  readonly remembered: boolean
  /** For programs only: renews the session once. */
  readonly refresh_token?: string
}

/** The columns that say how a person proved who they are. */
export const provenBy = (origin: SessionOrigin, at: number) => ({
  provider: origin.provider,
  factor: origin.factor,
  address: origin.address,
  user_agent: origin.user_agent.slice(0, 300),
  proven_at: origin.proven_at ?? at,
  second_at: origin.factor === '' ? (origin.second_at ?? 0) : at,
  passkey_at: origin.by_passkey ? at : 0,
  by_trust: bit(origin.by_trust ?? false),
  mailed_at: origin.provider === 'magic_link' ? at : 0,
  link_at: 0,
})

/** The columns that change when a person proves again who they are. */
export const provenAgainBy = ({ second, passkey, mailed }: FreshProof, at: number) => ({
  proven_at: at,
  ...((second || passkey) && { second_at: at }),
  ...(passkey && { passkey_at: at }),
  ...(mailed && { mailed_at: at }),
  proofs: sql<number>`proofs + 1`,
})

/** What somebody proved in an open session: with a second factor, with a passkey that verified its user, which is both, or by mail. */
export interface FreshProof {
  readonly second: boolean
  readonly passkey: boolean
  readonly mailed: boolean
}

/** The columns that change when a provider vouches for a sign-in that is open already. It proves nothing that was not proven before. */
export const joinedBy = ({ proven_at = 0, second_at = 0, by_trust = false }: SessionOrigin, at: number) => ({
  second_at: newer('second_at', second_at, at),
  // A factor of long ago and a fresh first factor are not two fresh factors.
  ...(by_trust && { by_trust: bit(true), second_at: 0, passkey_at: 0 }),
  proven_at: newer('proven_at', proven_at, at),
  proofs: sql<number>`proofs + ${proven_at > 0 ? 1 : 0}`,
})

/** The later of a stored time and this one, which is not ahead of `at`. */
const newer = (column: 'proven_at' | 'second_at', time: number, at: number) => {
  const reported = Math.min(time, at)
  return sql<number>`case when ${sql.ref(column)} > ${reported} then ${sql.ref(column)} else ${reported} end`
}
