import { anotherDevice } from '../../contract/caller.ts'
import type { Destination, Destinations } from '../../handover/destination.ts'
import type { ArrivalCodes } from '../../handover/codes.ts'
import type { Passage, Passages } from '../../handover/passages.ts'
import type { LeftHosts } from '../../handover/left_hosts.ts'
import { formPage } from '../../html/form.ts'
import type { LiveSession } from '../../sessions/live_session.ts'
import {
  anyProof,
  bothRules,
  proofQuery,
  readProofQuery,
  satisfiedUntil,
  type ProofRule,
} from '../../contract/proofs.ts'
import type { Judge } from '../../identity/judge.ts'
import { now } from '../../storage/ids.ts'
import { vouchedFor } from '../../identity/identify.ts'
import type { Refusal } from '../../wire/refusal.ts'
import { continuePage } from '../openid/openid_views.ts'
import type { Keepsake } from '../keepsake.ts'
import type { PageRequest } from '../page_request.ts'
import { onwardPath } from '../return_path.ts'
import { signInAnew } from '../sign_in/sign_in_anew.ts'
import { leftHow } from '../sign_in/just_left.ts'
import { sessionCookie } from '../../wire/cookies.ts'
import { refusesJourney } from './at_service.ts'

export interface HomeParts {
  readonly destinations: Destinations
  readonly codes: ArrivalCodes
  readonly leftHosts: LeftHosts
  readonly passages: Passages
  readonly judge: Judge
}

/** Whether this path of home leads on to the host of a service. */
const leavesHome = (path: string): boolean => /^\/(auth\/login\?|login\?|authorize)/.test(path)

/**
 * Goes on after a form. A form must never be answered by a redirect that ends at another origin: browsers apply the form-action of our
 * policy to every redirect that follows. So a page goes on by itself.
 */
export const goOn = async (
  page: PageRequest,
  to: string,
  session?: { readonly token: string; readonly maxAge: number | undefined },
  kept: readonly Keepsake[] = [],
): Promise<void> => {
  if (!leavesHome(to)) {
    if (session) return page.goWithSession(to, session.token, session.maxAge, kept)
    return page.goKeeping(303, to, ...kept)
  }
  const cookies = session
    ? [{ name: sessionCookie, value: session.token, maxAge: session.maxAge }, ...kept]
    : kept
  await page.page(200, (_, words) => continuePage(words, page.asked.host, to), {}, cookies)
}

/**
 * `/auth/login?service=&arrival=`: sends a person who is signed in to the service, with a code. Returns false if they have to prove who
 * they are first; the same address then continues.
 */
export const handOver = async (parts: HomeParts, page: PageRequest): Promise<boolean> => {
  if (refusesJourney(page)) return true
  const { destinations, codes, leftHosts } = parts
  const passage = parts.passages.read(page.query.get('passage'))
  if (passage) {
    await passOn(parts, page, passage)
    return true
  }
  const to = await destinations.ofService(page.query.get('service') ?? '')
  if (!to) {
    page.tell(noDestination)
    return true
  }
  const session = await page.session()
  if (needsProvider(to, session)) return leaveForProvider(page, to, session !== undefined)
  if (!session) return false
  const why = await asksFirst(leftHosts, to, session)
  if (why === 'confirm' && session.provider === anotherDevice) {
    page.go(302, signInAnew(page.asked.target))
    return true
  }
  if (why !== undefined) {
    await askToOpen(page, to, why)
    return true
  }
  const asks = await lackingProof(parts, to, session, readProofQuery(page.query))
  if (asks) {
    page.go(302, `/auth/prove?return_to=${encodeURIComponent(page.asked.target)}&${proofQuery(asks)}`)
    return true
  }
  const arrivalHash = page.query.get('arrival') ?? ''
  if (!isArrivalHash(arrivalHash)) {
    page.go(302, `${to.origin}/.hero_proxy/sign_in?return_to=${encodeURIComponent(to.path)}`)
    return true
  }
  const again = page.query.get('again') === '1'
  const code = await codes.issue(session.sign_in.id, to, { arrivalHash, again })
  page.go(302, `${to.origin}/.hero_proxy/arrive?code=${code}`)
  return true
}

/** A stop of a passage: gives a code for it, or leaves it out if it would ask or lacks a proof. */
const passOn = async (parts: HomeParts, page: PageRequest, passage: Passage): Promise<void> => {
  const { destinations, codes, leftHosts, passages } = parts
  const to = await destinations.ofService(page.query.get('service') ?? '')
  const session = await page.session()
  const arrivalHash = page.query.get('arrival') ?? ''
  const opens =
    to !== undefined &&
    session?.sign_in.id === passage.signInId &&
    to.host === passage.left[0] &&
    isArrivalHash(arrivalHash) &&
    !needsProvider(to, session) &&
    !(await asksFirst(leftHosts, to, session)) &&
    !(await lackingProof(parts, to, session))
  if (!opens) return page.go(302, await passages.past(passage))
  const onward = { ...passage, left: passage.left.slice(1) }
  const code = await codes.issue(session.sign_in.id, to, { arrivalHash, again: false }, onward)
  page.go(302, `${to.origin}/.hero_proxy/arrive?code=${code}`)
}

const isArrivalHash = (text: string): boolean => /^[0-9a-f]{64}$/.test(text)

/** Why a service asks before it opens: the person has left it, or it asks each person once. */
const asksFirst = async (
  leftHosts: LeftHosts,
  { origin, plan }: Destination,
  session: LiveSession,
): Promise<'come_back' | 'confirm' | undefined> => {
  if (await leftHosts.hasLeft({ signInId: session.sign_in.id, origin })) return 'come_back'
  const confirmed = !plan.siblings.confirm || (await leftHosts.hasConfirmed(session.user_id, origin))
  return confirmed ? undefined : 'confirm'
}

/** The proof that the person must still give for this page, or for the service that sent them to give one. */
const lackingProof = async (
  { judge }: HomeParts,
  { plan: { place } }: Destination,
  session: LiveSession,
  wished: ProofRule = anyProof,
): Promise<ProofRule | undefined> => {
  const { asks } = await judge.enter({ principal: session, staticToken: false }, place)
  const suffices = satisfiedUntil(wished, session.proofs, now()) > 0
  return suffices ? asks : asks ? bothRules(asks, wished) : wished
}

/** Whether the route wants a provider that has not vouched for this sign-in, or for a guest. */
const needsProvider = ({ plan: { route } }: Destination, session: LiveSession | undefined): boolean => {
  if (route.auth_mode !== 'oauth') return false
  return !session || !vouchedFor(session, route.provider)
}

/** Goes to the provider, but not for a guest who has just signed out: the provider may sign them in again unasked. Then returns false. */
const leaveForProvider = async (
  page: PageRequest,
  { plan: { route } }: Destination,
  isKnown: boolean,
): Promise<boolean> => {
  const { provider } = route
  const { providers } = await page.offers()
  const ready = provider === null ? providers.length > 0 : providers.some((one) => one.provider === provider)
  // Without the provider, `/login` would lead back here, and so on.
  if (!ready) page.tell(providerMissing(provider))
  else if (!isKnown && (await leftHow(page)) !== undefined) return false
  else {
    const named = provider === null ? '' : `provider=${encodeURIComponent(provider)}&`
    // After a change of account, the provider must not take the one that it remembers.
    const chosen = page.query.get('switch') === '1' ? 'prompt=select_account&' : ''
    page.go(302, `/login?${named}${chosen}next=${encodeURIComponent(page.asked.target)}`)
  }
  return true
}

/** Asks before a service opens that the person has left, or that asks each person once. */
const askToOpen = (page: PageRequest, { host }: Destination, why: 'come_back' | 'confirm'): Promise<void> =>
  page.page(200, (token, words) => {
    const { title, lead, button } = words.sign_in[why]
    return formPage(words, {
      place: page.asked.host,
      token,
      title,
      lead: lead({ host }),
      action: '/auth/come_back',
      hidden: { return_to: page.asked.target },
      fields: [],
      button,
    })
  })

/** The person opens a service that asked first. */
export const postComeBack =
  ({ destinations, leftHosts }: HomeParts) =>
  async (page: PageRequest): Promise<void> => {
    const form = await page.form()
    if (!form) return
    const next = onwardPath(page, form.get('return_to'))
    const to = await destinations.ofService(
      new URL(next, 'http://door.invalid').searchParams.get('service') ?? '',
    )
    const session = await page.session()
    if (to && session)
      await leftHosts.comeBack(
        { signInId: session.sign_in.id, origin: to.origin },
        session.provider === anotherDevice ? undefined : session.user_id,
      )
    await goOn(page, next)
  }

const noDestination: Refusal = { status: 400, reason: 'no_destination', code: 'invalid_params' }
const providerMissing = (provider: string | null): Refusal => ({
  status: 503,
  reason: 'provider_missing',
  values: { provider },
  code: 'provider_missing',
})
