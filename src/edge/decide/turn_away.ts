import { authModes } from '../../routes/auth_modes.ts'
import type { Route } from '../../routes/route.ts'
import type { Refusal } from '../../wire/refusal.ts'
import * as refusals from './refusals.ts'

/** A refusal that is the same for people and programs. */
export interface Tell {
  readonly act: 'tell'
  readonly told: Refusal
}

/** Nobody is known who could pass: people are shown the way in, programs are told. */
export interface SignIn {
  readonly act: 'sign in'
  /** Where people go; the path they asked for is appended, percent-encoded. */
  readonly way: string
  /** For programs: 401. */
  readonly told: Refusal
  /** For people, where the way in does not exist yet: told instead of sending them there. */
  readonly missing?: Refusal
}

export const tell = (told: Refusal): Tell => ({ act: 'tell', told })

/** What is told to whoever shows nothing that counts on this route. */
export const turnAway = (
  { auth_mode, provider }: Pick<Route, 'auth_mode' | 'provider'>,
  providers: readonly string[],
): SignIn | Tell => {
  const { credentials, without } = authModes[auth_mode]
  if (without === 'ask for a token') return tell(refusals.tokenNeeded)
  if (without === 'ask for a signature') return tell(refusals.notSigned('missing'))
  if (without === 'send to a provider') {
    const named = provider === null ? '' : `provider=${encodeURIComponent(provider)}&`
    const way = `/login?${named}next=`
    const ready = provider === null ? providers.length > 0 : providers.includes(provider)
    if (ready) return { act: 'sign in', way, told: refusals.providerNeeded }
    const [missing, told] = [true, false].map((people) => refusals.providerMissing(provider, people))
    return { act: 'sign in', way, told: told!, missing: missing! }
  }
  // Signing in changes nothing where no session counts: sending people there would send them in circles.
  if (!credentials.includes('session')) return tell(refusals.nobodyKnown)
  return { act: 'sign in', way: '/auth/login?return_to=', told: refusals.signInNeeded }
}
