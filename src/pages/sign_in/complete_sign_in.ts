import { switchSeconds } from '../../auth/person_switch.ts'
import { AppError, errorTable } from '../../contract/errors.ts'
import type { Catalogue } from '../../strings/catalogue.ts'
import { problemWords } from '../../strings/refusal_words.ts'
import { wayCookie } from '../../wire/cookies.ts'
import { goOn } from '../handover/at_home.ts'
import { onwardPath } from '../return_path.ts'
import { backAgain } from './just_left.ts'
import { signingIn } from './device.ts'
import { passkeyOffers } from './passkey_offers.ts'
import { proofPage } from './proof_view.ts'
import { replacePage } from './replace_view.ts'
import type { Keepsake } from '../keepsake.ts'
import type { PageRequest } from '../page_request.ts'

/** The methods that open a session. */
type Opening =
  'auth.login' | 'auth.setup' | 'auth.login_by_link' | 'auth.login_by_code' | 'auth.login_by_passkey'

interface Opened {
  readonly user: string
  readonly access_token: string
  readonly expires_in: number
}

/** Shows a form again, with what went wrong, and the status and headers of the answer. */
type Again = (
  problem: string,
  status: number,
  headers: Record<string, string>,
  data: AppError['data'],
) => Promise<void>

/** Runs the method that opens a session and sets its cookie, asks for a second factor, or shows the form again. */
export const openSession = async (
  page: PageRequest,
  method: Opening,
  params: Record<string, string>,
  returnTo: string,
  again: Again,
  kept: readonly Keepsake[] = [],
): Promise<void> => {
  const replaces = (await page.caller())?.session_id
  const way = wayOf(method, params)
  const { caller, kept: device } = await signingIn(page)
  const keepsakes = [...kept, device, ...(way === undefined ? [] : [lastWay(way)])]
  let opened
  try {
    opened = (await page.call(method, params, { ...caller, replaces })) as Opened
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    if (error.error === 'factor_required')
      return secondStep(
        page,
        error.data as unknown as Parameters<typeof secondStep>[1],
        returnTo,
        undefined,
        keepsakes,
      )
    const retry = error.data.retry_after
    const headers: Record<string, string> = typeof retry === 'number' ? { 'retry-after': String(retry) } : {}
    return again(await inWords(page, error), errorTable[error.error].http, headers, error.data)
  }
  await enter(page, opened, returnTo, keepsakes)
}

/** The way of the first step, by the name that sessions have for it; undefined for a second step. */
const wayOf = (method: Opening, { sign_in }: Record<string, string>): string | undefined =>
  sign_in === undefined ? ways[method] : undefined

const ways: Readonly<Record<Opening, string | undefined>> = {
  'auth.login': 'password',
  'auth.setup': 'password',
  'auth.login_by_link': 'magic_link',
  'auth.login_by_passkey': 'passkey',
  'auth.login_by_code': undefined,
}

/** The browser keeps the way for a year, to mark it when the person signs in again. */
export const lastWay = (way: string): Keepsake => ({ name: wayCookie, value: way, maxAge: 365 * 86_400 })

/** Goes on with a new session. If somebody else is signed in in this browser, it asks first whether to replace them. */
export const enter = async (
  page: PageRequest,
  opened: Opened,
  returnTo: string,
  kept: readonly Keepsake[] = [],
): Promise<void> => {
  await page.noteZone(opened.user)
  const present = (await page.caller())?.name
  if (present === undefined || present === opened.user) {
    const token = opened.access_token
    // It was opened for the minutes of a decision, but the other person has signed out since.
    const whole =
      opened.expires_in > switchSeconds
        ? opened
        : await page.switching.accept(page.switching.sealed(token), undefined)
    if (!whole) return page.go(303, '/auth/login')
    return goOn(page, returnTo, { token, maxAge: whole.expires_in }, [...kept, ...(await backAgain(page))])
  }
  const opening = page.switching.sealed(opened.access_token)
  await page.page(
    200,
    (token, words) =>
      replacePage(words, {
        place: page.asked.host,
        token,
        present,
        next: opened.user,
        opening,
        returnTo,
      }),
    {},
    kept,
  )
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
  const opened = await page.switching.accept(opening, (await page.caller())?.session_id)
  if (!opened) return page.go(303, '/auth/login')
  await goOn(page, returnTo, { token: opened.token, maxAge: opened.expires_in })
}

/** Says what went wrong, in the language of the reader. */
export const inWords = async (page: PageRequest, { data }: AppError): Promise<string> =>
  problemWords(await page.words(), data)

/** Shows the second step of signing in, after the first has succeeded. */
export const secondStep = async (
  page: PageRequest,
  { sign_in, factors }: { sign_in: string; factors: readonly string[] },
  returnTo: string,
  problem?: string,
  kept: readonly Keepsake[] = [],
): Promise<void> => {
  const rpIds = factors.includes('passkey') ? (await page.offers()).rpIds : []
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
      problem,
    })
  await page.pageWithScript(problem === undefined ? 200 : 401, body, {}, kept)
}
