import { randomBytes } from 'node:crypto'
import { elsewhereSeconds, type Waiting } from '../../auth/elsewhere/elsewhere_requests.ts'
import { AppError, errorTable } from '../../contract/errors.ts'
import { elsewhereCookie } from '../../wire/cookies.ts'
import type { Keepsake } from '../keepsake.ts'
import type { PageRequest } from '../page_request.ts'
import { onwardPath } from '../return_path.ts'
import { inWords, openSession } from '../sign_in/complete_sign_in.ts'
import { introPage, waitPage } from './browser_view.ts'
import { passkeyOffers } from '../sign_in/passkey_offers.ts'

// A browser that another device of its person signs in. Each page works without scripts; the one that waits loads itself again.

const path = '/auth/elsewhere'
/** Seconds after which the page that waits loads itself again. */
const reloadSeconds = 4

const keptSecret = (value: string): Keepsake => ({ name: elsewhereCookie, value, maxAge: elsewhereSeconds })

const toWait = (returnTo: string): string => `${path}/wait?return_to=${encodeURIComponent(returnTo)}`

const showIntro = async (
  page: PageRequest,
  returnTo: string,
  problem?: string,
  status = 200,
  headers: Record<string, string> = {},
): Promise<void> => {
  const { rpIds } = await page.offers()
  const passkeys = await passkeyOffers(page, page.guest(), rpIds)
  await page.pageWithScript(
    status,
    (token, words) => introPage(words, { place: page.asked.host, token, returnTo, passkeys, problem }),
    headers,
  )
}

/** Says what comes, the passkey first. */
export const elsewhere = async (page: PageRequest): Promise<void> => {
  const returnTo = onwardPath(page, page.query.get('return_to'))
  if (await page.caller()) return page.go(302, returnTo)
  if (!(await page.offers()).elsewhere)
    return page.go(302, `/auth/login?return_to=${encodeURIComponent(returnTo)}`)
  await showIntro(page, returnTo)
}

/** Begins, and keeps the secret of this browser. */
export const postElsewhere = async (page: PageRequest): Promise<void> => {
  const form = await page.form({ forGuests: true })
  if (!form) return
  const returnTo = onwardPath(page, form.get('return_to'))
  const browser_secret = randomBytes(32).toString('base64url')
  try {
    await page.call('auth.begin_elsewhere', { browser_secret }, page.guest())
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    const retry = error.data.retry_after
    const headers: Record<string, string> = typeof retry === 'number' ? { 'retry-after': String(retry) } : {}
    return showIntro(page, returnTo, await inWords(page, error), errorTable[error.error].http, headers)
  }
  await page.goKeeping(303, toWait(returnTo), keptSecret(browser_secret))
}

/** Returns the secret of this browser; a new one, for which nothing was begun, if it has none. */
const secretOf = async (page: PageRequest): Promise<string> => {
  const kept = (await page.keepsakes())(elsewhereCookie) ?? ''
  return /^[A-Za-z0-9_-]{43}$/.test(kept) ? kept : randomBytes(32).toString('base64url')
}

const showWaiting = async (page: PageRequest, returnTo: string, status = 200, problem?: string) => {
  const params = { browser_secret: await secretOf(page) }
  const waiting = (await page.call('auth.look_elsewhere', params, page.guest())) as Waiting
  const { magicLinks } = await page.offers()
  const reloads = waiting.state === 'waiting' || waiting.state === 'opened'
  await page.page(
    status,
    (token, words) =>
      waitPage(words, {
        place: page.asked.host,
        token,
        returnTo,
        reload: toWait(returnTo),
        waiting,
        magicLinks,
        problem,
      }),
    reloads ? { refresh: String(reloadSeconds) } : {},
  )
}

/** Shows the QR code and the digits, or what has become of them. */
export const waitElsewhere = async (page: PageRequest): Promise<void> => {
  const returnTo = onwardPath(page, page.query.get('return_to'))
  if (await page.caller()) return page.go(302, returnTo)
  await showWaiting(page, returnTo)
}

/** The phone has agreed, and the person presses the button here. */
export const postEnter = async (page: PageRequest): Promise<void> => {
  const form = await page.form({ forGuests: true })
  if (!form) return
  const returnTo = onwardPath(page, form.get('return_to'))
  // Somebody has signed in here since, in another tab.
  if (await page.caller()) return page.go(303, returnTo)
  const params = { browser_secret: await secretOf(page) }
  await openSession(
    page,
    { method: 'auth.login_elsewhere', params, returnTo, kept: [keptSecret('')] },
    (problem, status) => showWaiting(page, returnTo, status, problem),
  )
}
