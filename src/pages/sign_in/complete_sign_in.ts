import type { Wishes } from '../../contract/caller.ts'
import { AppError, errorTable } from '../../contract/errors.ts'
import { problemWords } from '../../strings/refusal_words.ts'
import { wayCookie } from '../../wire/cookies.ts'
import type { Keepsake } from '../keepsake.ts'
import type { PageRequest } from '../page_request.ts'
import { afterProof, type HalfSignIn, type Opened } from './after_proof.ts'
import { mayTrust, signingIn } from './device.ts'

/** The methods that open a session. */
type Opening =
  | 'auth.login'
  | 'auth.setup'
  | 'auth.login_by_link'
  | 'auth.login_by_mailed_code'
  | 'auth.login_by_code'
  | 'auth.login_by_passkey'
  | 'auth.login_elsewhere'

/** Shows a form again, with what went wrong, and the status and headers of the answer. */
type Again = (
  problem: string,
  status: number,
  headers: Record<string, string>,
  data: AppError['data'],
) => Promise<void>

interface SignInForm {
  readonly method: Opening
  readonly params: Record<string, string>
  readonly returnTo: string
  /** What the person chose besides. */
  readonly wishes?: Wishes
  readonly kept?: readonly Keepsake[]
}

/** Runs the method that opens a session and goes on with what it led to, or shows the form again. */
export const openSession = async (
  page: PageRequest,
  { method, params, returnTo, wishes, kept = [] }: SignInForm,
  again: Again,
): Promise<void> => {
  const replaces = (await page.caller())?.session_id
  const way = wayOf(method, params)
  const { caller, kept: device } = await signingIn(page)
  const keepsakes = [...kept, device, ...(way === undefined ? [] : [lastWay(way)])]
  let came
  try {
    const trust = wishes?.trust === true && mayTrust(page)
    const by = { ...caller, replaces, ...(wishes && { wishes: { ...wishes, trust } }) }
    came = (await page.call(method, params, by)) as Opened
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    if (error.error === 'factor_required')
      return afterProof(page, error.data as unknown as HalfSignIn, returnTo, keepsakes)
    const retry = error.data.retry_after
    const headers: Record<string, string> = typeof retry === 'number' ? { 'retry-after': String(retry) } : {}
    return again(await inWords(page, error), errorTable[error.error].http, headers, error.data)
  }
  await afterProof(page, came, returnTo, keepsakes)
}

/** What people tick on our forms. A browser sends a box only if it is ticked. */
export const wishesIn = (form: URLSearchParams): Wishes => ({
  remember: form.get('remember') === '1',
  trust: form.get('trust') === '1',
})

/** The way of the first step, by the name that sessions have for it; undefined for a second step. */
const wayOf = (method: Opening, { sign_in }: Record<string, string>): string | undefined =>
  sign_in === undefined ? ways[method] : undefined

const ways: Readonly<Record<Opening, string | undefined>> = {
  'auth.login': 'password',
  'auth.setup': 'password',
  'auth.login_by_link': 'magic_link',
  'auth.login_by_mailed_code': 'magic_link',
  'auth.login_by_passkey': 'passkey',
  'auth.login_elsewhere': 'another_device',
  'auth.login_by_code': undefined,
}

/** The browser keeps the way for a year, to mark it when the person signs in again. */
export const lastWay = (way: string): Keepsake => ({ name: wayCookie, value: way, maxAge: 365 * 86_400 })

/** Says what went wrong, in the language of the reader. */
export const inWords = async (page: PageRequest, { data }: AppError): Promise<string> =>
  problemWords(await page.words(), data)
