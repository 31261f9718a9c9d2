import { authModes } from '../../routes/auth_modes.ts'
import type { Route } from '../../routes/route.ts'
import type { Refusal } from '../../wire/refusal.ts'
import * as refusals from './refusals.ts'

/** A refusal that is the same for people and programs. */
export interface Tell {
  readonly act: 'tell'
  readonly refusal: Refusal
}

/** The request has no identity that could pass: people go to the sign-in, programs get the refusal. */
export interface SignIn {
  readonly act: 'sign in'
  /** Where people go; the path of their request is appended, percent-encoded. */
  readonly way: string
  /** For programs: 401. */
  readonly refusal: Refusal
  /** For people, if the way in does not exist yet: they get this refusal instead of a redirect. */
  readonly missing?: Refusal
}

export const tell = (refusal: Refusal): Tell => ({ act: 'tell', refusal })

/** Returns the answer to a request without any credential that counts on this route. */
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
    if (ready) return { act: 'sign in', way, refusal: refusals.providerNeeded }
    const [missing, refusal] = [true, false].map((people) => refusals.providerMissing(provider, people))
    return { act: 'sign in', way, refusal: refusal!, missing: missing! }
  }
  // If no session counts here, signing in changes nothing, and a redirect would send people in circles.
  if (!credentials.includes('session')) return tell(refusals.nobodyKnown)
  return { act: 'sign in', way: '/auth/login?return_to=', refusal: refusals.signInNeeded }
}
