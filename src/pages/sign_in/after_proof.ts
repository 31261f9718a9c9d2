import { switchSeconds } from '../../auth/person_switch.ts'
import { trustedCookie } from '../../wire/cookies.ts'
import type { Catalogue } from '../../strings/catalogue.ts'
import { goOn } from '../handover/at_home.ts'
import { cookieAge, type Keepsake } from '../keepsake.ts'
import type { PageRequest } from '../page_request.ts'
import { onwardPath } from '../return_path.ts'
import { mayTrust } from './device.ts'
import { backAgain } from './just_left.ts'
import { passkeyOffers } from './passkey_offers.ts'
import { proofPage } from './proof_view.ts'
import { replacePage } from './replace_view.ts'

// What comes between a proof and the destination.

/** A new session, as the methods that open one return it. */
export interface Opened {
  readonly user: string
  readonly access_token: string
  readonly expires_in: number
  readonly remembered?: boolean
  /** What a trusted browser gets to keep. */
  readonly trusted_browser?: { readonly value: string; readonly expires_in: number }
}

/** The first half of a sign-in, which lacks its second factor. */
export interface HalfSignIn {
  readonly sign_in: string
  readonly factors: readonly string[]
}

/** A sign-in on its way from a proof to the destination. */
interface OnTheWay {
  readonly page: PageRequest
  /** What the proof led to. */
  readonly came: Opened | HalfSignIn
  readonly returnTo: string
  /** What the browser gets to keep with the answer. A step may add to it. */
  readonly kept: Keepsake[]
}

/** Answers the request if it has something to ask, and then returns true. Otherwise the next step follows. */
type Step = (way: OnTheWay) => Promise<boolean>

/** A step of a person who is signed in. */
const opened =
  (step: (way: OnTheWay & { readonly came: Opened }) => Promise<boolean>): Step =>
  async ({ came, ...way }) =>
    'sign_in' in came ? false : step({ ...way, came })

const secondFactor: Step = async ({ page, came, returnTo, kept }) => {
  if (!('sign_in' in came)) return false
  await askForFactor(page, came, returnTo, undefined, kept)
  return true
}

/** Trust in this browser took the place of the second factor, or begins with it. */
const trustedBrowser = opened(async ({ came: { trusted_browser: next }, kept }) => {
  if (next) kept.push({ name: trustedCookie, value: next.value, maxAge: next.expires_in })
  return false
})

const timeZone = opened(async ({ page, came }) => {
  await page.noteZone(came.user)
  return false
})

/** If somebody else is signed in in this browser, it asks first whether to replace them. */
const otherPerson = opened(async ({ page, came, returnTo, kept }) => {
  const present = (await page.caller())?.name
  if (present === undefined || present === came.user) return false
  const opening = page.switching.sealed(came.access_token)
  const body = (token: string, words: Catalogue) =>
    replacePage(words, { place: page.asked.host, token, present, next: came.user, opening, returnTo })
  await page.page(200, body, {}, kept)
  return true
})

const destination = opened(async ({ page, came, returnTo, kept }) => {
  const token = came.access_token
  // It was opened for the minutes of a decision, but the other person has signed out since.
  const whole = came.expires_in > switchSeconds ? came : await page.switching.whole(token)
  const cookies = [...kept, ...(await backAgain(page))]
  if (whole) await goOn(page, returnTo, { token, maxAge: cookieAge(whole) }, cookies)
  else page.go(303, '/auth/login')
  return true
})

/** All steps, in their order. The first that has something to ask answers. */
const steps: readonly Step[] = [secondFactor, trustedBrowser, timeZone, otherPerson, destination]

/** Goes on with what a proof led to. */
export const afterProof = async (
  page: PageRequest,
  came: Opened | HalfSignIn,
  returnTo: string,
  kept: readonly Keepsake[] = [],
): Promise<void> => {
  const way: OnTheWay = { page, came, returnTo, kept: [...kept] }
  for (const step of steps) if (await step(way)) return
}

/** Shows the second step of signing in, after the first has succeeded. */
export const askForFactor = async (
  page: PageRequest,
  { sign_in, factors }: HalfSignIn,
  returnTo: string,
  problem?: string,
  kept: readonly Keepsake[] = [],
): Promise<void> => {
  const offers = await page.offers()
  const rpIds = factors.includes('passkey') ? offers.rpIds : []
  const trust = mayTrust(page) ? offers.trust : undefined
  const passkeys = await passkeyOffers(page, page.guest(), rpIds, sign_in)
  const body = (token: string, words: Catalogue) =>
    proofPage(words, {
      place: page.asked.host,
      token,
      ...words.sign_in.factor,
      action: '/auth/factor',
      hidden: { sign_in, factors: factors.join(' '), return_to: returnTo },
      field: factors.includes('totp') || factors.includes('recovery') ? 'code' : undefined,
      passkeys,
      passkeyAction: '/auth/passkey',
      box: trust !== undefined && { name: 'trust', ...words.sign_in.trust({ seconds: trust }) },
      problem,
    })
  await page.pageWithScript(problem === undefined ? 200 : 401, body, {}, kept)
}

/** The person has decided whether to be signed in as somebody else. */
export const postReplace = async (page: PageRequest): Promise<void> => {
  const form = await page.form({ forGuests: true })
  if (!form) return
  const returnTo = onwardPath(page, form.get('return_to'))
  const opening = form.get('opening') ?? ''
  if (form.get('answer') !== 'replace') {
    await page.switching.refuse(opening)
    return goOn(page, returnTo)
  }
  const whole = await page.switching.accept(opening, (await page.caller())?.session_id)
  if (!whole) return page.go(303, '/auth/login')
  await goOn(page, returnTo, { token: whole.token, maxAge: cookieAge(whole) })
}
