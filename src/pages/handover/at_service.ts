import { randomBytes } from 'node:crypto'
import type { Arrivals } from '../../handover/arrivals.ts'
import type { Destination, Destinations } from '../../handover/destination.ts'
import type { LeftHosts } from '../../handover/left_hosts.ts'
import type { Passage, Passages } from '../../handover/passages.ts'
import { asksForProof, proofQuery, readProofQuery, satisfiedUntil } from '../../contract/proofs.ts'
import { digest } from '../../secrets/digest.ts'
import { boundedMap } from '../../storage/bounded_map.ts'
import { now } from '../../storage/ids.ts'
import { arrivalCookie, setCookie } from '../../wire/cookies.ts'
import type { Home } from '../../contract/home.ts'
import { policyForFrames } from '../../wire/responses.ts'
import { framedPage } from './framed_view.ts'
import { notFoundRefusal, type Refusal } from '../../wire/refusal.ts'
import type { EdgeRequest } from '../../wire/request.ts'
import { cookieAge, type Keepsake } from '../keepsake.ts'
import type { PageRequest } from '../page_request.ts'

/** The identity that a service would receive. */
export interface SeenIdentity {
  readonly username: string
  readonly context: number
  readonly claims: readonly string[]
  readonly impersonator: string | undefined
}

export interface ServiceParts {
  readonly home: Home
  readonly destinations: Destinations
  readonly arrivals: Arrivals
  readonly leftHosts: LeftHosts
  readonly passages: Passages
  /** What the edge would decide about a GET of this path with the cookies of the request. */
  readonly look: (
    asked: EdgeRequest,
    path: string,
  ) => Promise<{ readonly signsIn: boolean; readonly identity: SeenIdentity | undefined }>
}

// The pages at the hosts of services. They lead home and back, and show nothing about anybody.

const arrivalSeconds = 600
const looksLikeArrival = (value: string): boolean => /^[A-Za-z0-9_-]{22}$/.test(value)

const keepArrival = (value: string): Keepsake => ({ name: arrivalCookie, value, maxAge: arrivalSeconds })

/**
 * `/.hero_proxy/sign_in?return_to=`, and the usual names of sign-in pages: sends a guest home to sign in. A person who may enter goes
 * to the page at once. With `proof` and `proof_age`, the service asks for a proof of that strength and age.
 */
export const signIn =
  (parts: ServiceParts) =>
  async (page: PageRequest): Promise<void> => {
    if (refusesJourney(page)) return
    const { query, asked } = page
    const passage = parts.passages.read(query.get('passage'))
    if (passage?.left[0] === asked.host) return passBy(parts, page, passage)
    const to = await parts.destinations.at(asked.host, query.get('return_to') ?? query.get('next') ?? '/')
    if (!to) return page.tell(notFoundRefusal)
    const again = query.get('again') === '1'
    if (!comesTo(asked, to)) {
      if (query.get('moved') === '1') return page.tell(wrongOrigin(to))
      return page.go(302, `${signInAt(to)}${again ? '&again=1' : ''}&moved=1`)
    }
    const child = await page.session()
    const wished = readProofQuery(query)
    const proved = child && satisfiedUntil(wished, child.proofs, now()) > 0
    if (proved && !(await parts.look(asked, to.path)).signsIn) return page.go(302, to.origin + to.path)
    const arrival = await arrivalOf(page)
    if (!child && (await parts.arrivals.keepsNothing(to.origin, arrival))) return page.tell(stuck)
    const service = encodeURIComponent(to.origin + to.path)
    const address = `${parts.home.origin}/auth/login?service=${service}&arrival=${digest(arrival)}`
    const asks = asksForProof(wished) ? `&${proofQuery(wished)}` : ''
    await page.goKeeping(302, `${address}${asks}${again ? '&again=1' : ''}`, keepArrival(arrival))
  }

/** The next host of a passage: home gives it a code, or leaves it out. */
const passBy = async (
  { home, destinations, passages }: ServiceParts,
  page: PageRequest,
  passage: Passage,
): Promise<void> => {
  const { asked, query } = page
  const to = await destinations.at(asked.host, '/')
  if (!to || !comesTo(asked, to)) return page.go(302, await passages.past(passage))
  const arrival = await arrivalOf(page)
  const address = `${home.origin}/auth/login?service=${encodeURIComponent(to.origin + to.path)}&arrival=${digest(arrival)}`
  const onward = `${address}&passage=${encodeURIComponent(query.get('passage')!)}`
  await page.goKeeping(302, onward, keepArrival(arrival))
}

/** The arrival cookie that the browser shows, or a new one. */
const arrivalOf = async (page: PageRequest): Promise<string> => {
  const shown = (await page.keepsakes())(arrivalCookie)
  return shown !== undefined && looksLikeArrival(shown) ? shown : randomBytes(16).toString('base64url')
}

/** The same at `/login` and `/auth/login`. A child that asks a second time within seconds gets the service's own page. */
export const usualSignIn = (parts: ServiceParts) => {
  const begin = signIn(parts)
  const sent = boundedMap<number>(maxSent)
  return async (page: PageRequest): Promise<void | 'route'> => {
    const child = page.journey === 'page' ? await page.session() : undefined
    if (child) {
      const before = sent.get(child.id)
      if (before !== undefined && now() - before <= secondsForOwnPage) return 'route'
      sent.set(child.id, now())
    }
    return begin(page)
  }
}
const maxSent = 10_000
const secondsForOwnPage = 10

/** `/.hero_proxy/arrive?code=`: opens the session of this host. */
export const arrive =
  ({ arrivals }: ServiceParts) =>
  async (page: PageRequest): Promise<void> => {
    if (refusesJourney(page)) return
    const read = await page.keepsakes()
    const result = await arrivals.arrive({
      host: page.asked.host,
      code: page.query.get('code') ?? '',
      arrival: read(arrivalCookie),
      child: await page.session(),
    })
    switch (result.act) {
      case 'no service':
        return page.tell(notFoundRefusal)
      case 'stuck':
        return page.go(302, stuckPath)
      case 'begin again':
        return page.go(302, `${signInAt(result.to)}${result.again ? '&again=1' : ''}`)
      case 'enter': {
        const { location, opened } = result
        if (opened) return page.goWithSession(location, opened.token, cookieAge(opened))
        return page.go(303, location)
      }
    }
  }

const stuckPath = '/.hero_proxy/sign_in/stuck'

/** Says why nobody can be signed in here. It has an address of its own, without the code. */
export const showStuck = async (page: PageRequest): Promise<void> => {
  if (!refusesJourney(page)) page.tell(stuck)
}

/**
 * `/.hero_proxy/sign_out`, `/logout` and `/auth/logout`: leads to the page of home that signs out. With `browser`, home wants the address
 * for this browser only.
 */
export const signOut =
  ({ home, destinations, leftHosts }: ServiceParts) =>
  async (page: PageRequest): Promise<void> => {
    if (refusesJourney(page)) return
    const child = await page.session()
    const address = `${home.origin}/auth/logout`
    if (!child) return page.go(302, address)
    const to = await destinations.at(page.asked.host, '/')
    const origin = to?.origin ?? home.originOf(page.asked.host)
    const browser = page.query.get('browser') ?? ''
    const text = leftHosts.sealed({ signInId: child.sign_in.id, origin, browser: browser.slice(0, 64) })
    page.go(302, `${address}?leaving=${encodeURIComponent(text)}`)
  }

/**
 * `/.hero_proxy/signed_out`: a picture on the page of home that has just signed out. It removes a dead cookie of this host, and leaves a
 * living one alone.
 */
export const signedOut = async (page: PageRequest): Promise<void> => {
  const shown = await page.shownSession()
  page.answer(200, 'image/svg+xml', emptyPicture, {
    ...(typeof shown === 'string' && { 'set-cookie': [setCookie(shown, '', 0)] }),
    // Home may be another site.
    'cross-origin-resource-policy': 'cross-origin',
  })
}

const emptyPicture = '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>'

/** `/.hero_proxy/me` and `/auth/me`: what the service knows about the caller, for programs. People go to their account at home. */
export const me =
  ({ home, look }: ServiceParts) =>
  async (page: PageRequest): Promise<void> => {
    if (page.navigates) return page.go(302, `${home.origin}/auth/me`)
    const { identity } = await look(page.asked, '/')
    if (!identity) return page.tell(notSignedIn)
    const { username, context, claims, impersonator } = identity
    page.json({ user: username, context, claims, impersonator: impersonator ?? null })
  }

const signInAt = ({ origin, path }: Destination): string =>
  `${origin}/.hero_proxy/sign_in?return_to=${encodeURIComponent(path)}`

/** Whether a request came to the origin under which we know the host. Its port counts only where the client names one. */
const comesTo = (
  { secure, authority, host, forwardedPort }: EdgeRequest,
  { origin }: Destination,
): boolean => {
  const { protocol, port } = new URL(origin)
  if (secure !== (protocol === 'https:')) return false
  const named = authority === host ? forwardedPort : authority.slice(host.length + 1)
  if (named === undefined) return true
  const usual = secure ? '443' : '80'
  return named === (port === '' ? usual : port)
}

/** Answers what is no navigation of a person in a tab of its own. The answer is the same whether or not they are signed in. */
export const refusesJourney = (page: PageRequest): boolean => {
  const { journey } = page
  if (journey === 'frame') void showFramed(page)
  if (journey === 'other') page.tell(notSignedIn)
  return journey !== 'page'
}

/** In a frame nobody signs in: the page around it could make a person click there without knowing. */
const showFramed = async (page: PageRequest): Promise<void> => {
  const words = await page.words()
  page.answer(401, 'text/html; charset=utf-8', framedPage(words, page.asked), {
    'content-security-policy': policyForFrames,
  })
}

const notSignedIn: Refusal = { status: 401, reason: 'not_signed_in', code: 'unauthenticated' }
const stuck: Refusal = { status: 400, reason: 'keeps_no_cookies', code: 'cookies_missing' }
const wrongOrigin = ({ origin }: Destination): Refusal => ({
  status: 400,
  reason: 'wrong_origin',
  values: { origin },
  code: 'proxy_not_trusted',
})
