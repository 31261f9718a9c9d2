import { randomBytes } from 'node:crypto'
import type { SealedLeaving } from '../../handover/left_hosts.ts'
import { digest } from '../../secrets/digest.ts'
import { leavingCookie } from '../../wire/cookies.ts'
import type { Refusal } from '../../wire/refusal.ts'
import { signOutPage } from '../account/me_view.ts'
import type { HomeParts } from '../handover/at_home.ts'
import type { PageRequest } from '../page_request.ts'
import { returnPath } from '../return_path.ts'
import { farewell } from './farewell.ts'
import type { FederationParts } from './provider_parts.ts'

// Signing out at home, of everything or of the service where a person began.

/** Returns where to go after signing out: the requested path on this origin, or else the sign-in page. */
const afterwards = (next: string | null): string => returnPath(next, '/auth/login')

/** Offers to sign out of everything, and of the service that the person came from. Opening the page signs nobody out. */
export const signOut = async (page: PageRequest, { leftHosts }: HomeParts): Promise<void> => {
  const caller = await page.caller()
  const next = afterwards(page.query.get('next'))
  const text = page.query.get('leaving')
  const named = leftHosts.read(text)
  const leaving = await ofThisBrowser(page, named)
  if (named?.browser === '' && !leaving && page.journey === 'page') return fetchAnew(page, named)
  if (!caller && !leaving && page.journey === 'page') return page.go(302, next)
  const impersonating = caller?.on_behalf ?? null
  const service = leaving && { host: new URL(leaving.origin).hostname, leaving: text! }
  await page.page(200, (token, words) =>
    signOutPage(words, { place: page.asked.host, token, impersonating, next, service }),
  )
}

/** Signs out of one service, or of everything, and then at the identity provider if the session needs that. */
export const postSignOut = async (
  page: PageRequest,
  { logouts }: Pick<FederationParts, 'logouts'>,
  { leftHosts }: HomeParts,
): Promise<void> => {
  const form = await page.form({ forGuests: true })
  if (!form) return
  const caller = await page.caller()
  const next = afterwards(form.get('next'))
  const leaving = await ofThisBrowser(page, leftHosts.read(form.get('leaving')))
  if (leaving && form.get('scope') === 'here') {
    await leftHosts.leave(leaving)
    return page.tell(leftService(leaving.origin))
  }
  const signedOut = [caller?.session_id, leaving?.signInId].filter((id) => id !== undefined)
  const opened = (await Promise.all([...new Set(signedOut)].map((id) => leftHosts.openedBy(id)))).flat()
  // The service may have been opened by another sign-in than the one that this browser has at home now.
  if (leaving && leaving.signInId !== caller?.session_id) await leftHosts.endSignIn(leaving)
  const leave = caller?.session_id === undefined ? undefined : await logouts.leave(caller.session_id)
  if (caller) await page.call('auth.logout', {}, caller)
  const there = await leave?.()
  await farewell(page, 'sign_out', next, opened, there)
}

const leftService = (origin: string): Refusal => ({
  status: 200,
  reason: 'left_service',
  values: { host: new URL(origin).hostname },
  code: 'ok',
  link: { href: '/auth/me', name: 'your_account' },
})

/**
 * An address that names a sign-in could be stolen, so it counts in two browsers only: the one that has this sign-in at home, and the one
 * that fetched it at the service for home.
 */
const ofThisBrowser = async (
  page: PageRequest,
  leaving: SealedLeaving | undefined,
): Promise<SealedLeaving | undefined> => {
  if (!leaving) return undefined
  if ((await page.session())?.sign_in.id === leaving.signInId) return leaving
  const kept = (await page.keepsakes())(leavingCookie)
  return kept !== undefined && digest(kept) === leaving.browser ? leaving : undefined
}

const leavingSeconds = 600

/** The browser has lost the cookie of home, or somebody else is signed in there now. The service names its sign-in again, for this browser. */
const fetchAnew = async (page: PageRequest, { origin }: SealedLeaving): Promise<void> => {
  const value = (await page.keepsakes())(leavingCookie) ?? randomBytes(16).toString('base64url')
  const kept = { name: leavingCookie, value, maxAge: leavingSeconds }
  await page.goKeeping(302, `${origin}/.hero_proxy/sign_out?browser=${digest(value)}`, kept)
}
