import { AppError } from '../contract/errors.ts'
import type { Maker } from '../invitations/invitations.ts'

/** Lifetime of a mailed link by purpose, in seconds. A link works for its own purpose only. */
export const tokenLifetimesSeconds = {
  verify: 24 * 3600,
  change: 24 * 3600,
  reset: 3600,
  recovery: 3600,
  enrolment: 3600,
  magic: 900,
  reopen: 7 * 24 * 3600,
  prove: 600,
} as const
export type Purpose = keyof typeof tokenLifetimesSeconds

/** The purposes of the links in security notices. Nothing but their own use or their end removes them. */
export const noticePurposes = ['not_me', 'restore_address'] as const

/** The purposes of links that lead to a form: the one for set-up is printed at the start. */
export type FormPurpose = Purpose | 'setup'

/** A half-completed sign-in, named after its first step. Its token allows trying the second factor and is never mailed. */
export type FirstStep = 'after_password' | 'after_magic_link' | 'after_provider'
export const firstSteps: readonly FirstStep[] = ['after_password', 'after_magic_link', 'after_provider']

/** The names that a person chooses for an account, as far as they do. */
export type ChosenNames = Partial<WantedNames>

/** The names that a registration wants. */
export interface WantedNames {
  readonly username: string
  readonly display_name?: string | undefined
  /** The invitation by which it came. */
  readonly invitation?: string | undefined
  /** Who made the link, if somebody hands it over. */
  readonly maker?: Maker | undefined
}

export interface OneTimeToken {
  readonly user_id: string | null
  /** The address that it was mailed to, in lower case; empty if it was not mailed. */
  readonly address: string
  /** The names that a registration wants; undefined for other links. */
  readonly wanted: WantedNames | undefined
  /** Whether nobody has confirmed the account yet: the person who uses the link chooses its names. */
  readonly unconfirmed: boolean
  /** The browser that asked for it, as a digest; empty where it is unknown. */
  readonly browser: string
  /** Whether the person asked to stay signed in in that browser. */
  readonly remember: boolean
}

/** Whether a link keeps the sign-in that it opens: only in the browser that asked for both. Another may be anybody's. */
export const remembersIn = (
  { remember, browser }: Pick<OneTimeToken, 'remember' | 'browser'>,
  caller: { readonly browser?: string | undefined },
): boolean => remember && browser !== '' && browser === caller.browser

/** What a provider asserted, kept until the second step is done. */
export interface ProviderProof {
  readonly provider: string
  readonly identity_id: string
  readonly at_provider: { readonly sid: string; readonly id_token: string }
  /** When the person authenticated at the provider, in Unix seconds; 0 if the provider does not say. */
  readonly proven_at: number
}

/** The refusal of a link that does not work. It does not reveal why. */
export const invalidLink = () =>
  new AppError(
    'unauthenticated',
    'This link is no longer valid: it was used, it is too old, or a newer one was sent',
    { reason: 'dead_link' },
  )
