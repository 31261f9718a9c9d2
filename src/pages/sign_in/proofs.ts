import type { Caller } from '../../contract/caller.ts'
import { AppError } from '../../contract/errors.ts'
import { departToProve } from '../departing.ts'
import type { FederationParts } from './provider_parts.ts'
import { askForFactor } from './after_proof.ts'
import { inWords, openSession, wishesIn } from './complete_sign_in.ts'
import { goOn } from '../handover/at_home.ts'
import { passkeyOffers } from './passkey_offers.ts'
import { proofPage } from './proof_view.ts'
import { proofQuery, readProofQuery, type ProofLevel, type ProofRule } from '../../contract/proofs.ts'
import type { Catalogue } from '../../strings/catalogue.ts'
import { onwardPath, returnPath } from '../return_path.ts'
import type { PageRequest } from '../page_request.ts'
import { isByAnotherDevice, signInAnew } from './sign_in_anew.ts'

// Pages that ask for more than a password: the second step, a passkey, and a fresh proof before a sensitive change.

export const postFactor = async (page: PageRequest): Promise<void> => {
  const form = await page.form({ forGuests: true })
  if (!form) return
  const sign_in = form.get('sign_in') ?? ''
  const returnTo = onwardPath(page, form.get('return_to'))
  const factors = (form.get('factors') ?? '').split(' ')
  const params = { sign_in, code: form.get('code') ?? '' }
  const wishes = wishesIn(form)
  await openSession(page, { method: 'auth.login_by_code', params, returnTo, wishes }, (problem) =>
    askForFactor(page, { sign_in, factors }, returnTo, problem),
  )
}

export const postPasskey = async (page: PageRequest): Promise<void> => {
  const form = await page.form({ forGuests: true })
  if (!form) return
  const signIn = form.get('sign_in')
  const params = { assertion: form.get('answer') ?? '', ...(signIn !== null && { sign_in: signIn }) }
  const returnTo = onwardPath(page, form.get('return_to'))
  await openSession(
    page,
    { method: 'auth.login_by_passkey', params, returnTo, wishes: wishesIn(form) },
    async (_problem, _status, _headers, data) =>
      page.tell({
        status: 401,
        reason: 'sign_in_failed',
        code: 'unauthenticated',
        problem: data,
        link: { href: `/auth/login?return_to=${encodeURIComponent(returnTo)}`, name: 'try_again' },
      }),
  )
}

/**
 * Other ways to give a fresh proof: a provider that asks again, and email for a person without a factor. Where a second factor is asked
 * for, only a provider whose word counts for one.
 */
const otherWays = async (
  page: PageRequest,
  caller: Caller,
  returnTo: string,
  {
    byMail,
    level,
    asks,
  }: { readonly byMail: boolean; readonly level: ProofLevel; readonly asks: ProofRule | undefined },
) => {
  if (level === 'passkey') return { providers: [], ways: [] }
  const { items } = (await page.call('users.identities.list', { user: caller.name }, caller)) as {
    items: readonly { provider: string }[]
  }
  const { providers, magicLinks } = await page.offers()
  const { prove } = (await page.words()).sign_in
  const next = encodeURIComponent(returnTo)
  const again = providers
    .filter(({ asks_anew, gives_second }) => asks_anew && (level === 'any' || gives_second))
    .filter((offered) => items.some(({ provider }) => provider === offered.provider))
    .map(({ provider, title }) => ({ provider, text: prove.with_provider({ provider: title }) }))
  const links = again.map(({ provider, text }) => ({
    href: `/login?provider=${provider}&prompt=login&next=${next}`,
    text,
  }))
  return {
    // A place gains nothing by a round that was begun for it.
    providers: asks === undefined ? again : [],
    ways: [
      ...(asks === undefined ? [] : links),
      ...(byMail && magicLinks ? [{ href: `/auth/magic?return_to=${next}`, text: prove.email_link }] : []),
      ...(byMail ? [{ href: '/auth/reset', text: prove.forgot_password }] : []),
    ],
  }
}

/** What the person can type. */
const fieldFor = (
  level: ProofLevel,
  { hasCode, hasFactor }: { readonly hasCode: boolean; readonly hasFactor: boolean },
): 'code' | 'password' | undefined => {
  if (level === 'passkey') return undefined
  if (hasCode) return 'code'
  return level === 'any' && !hasFactor ? 'password' : undefined
}

/** The names that we may ask for, in the order of the sign-in page. */
const oursOf = async (page: PageRequest, rpIds: readonly string[]): Promise<string[]> =>
  (await page.offers()).rpIds.filter((id) => rpIds.includes(id))

/** Asks for a proof. Without `asks`, before a change to the account; with it, for the place to which the person wants to go. */
const showProof = async (
  page: PageRequest,
  returnTo: string,
  asks: ProofRule | undefined,
  problem?: string,
  status = 200,
): Promise<void> => {
  const caller = await page.caller()
  if (!caller) return page.go(302, '/auth/login')
  const { totp, passkeys, recovery_codes } = (await page.call('factors.list', {}, caller)) as {
    totp: object | null
    passkeys: readonly { rp_id: string; verifies_user: boolean }[]
    recovery_codes: number
  }
  const level = asks?.proof ?? 'any'
  const hasFactor = totp !== null || passkeys.length > 0
  const { email } = (await page.call('auth.me', {}, caller)) as { email: string | null }
  const byMail = !hasFactor && email !== null && level === 'any'
  const counting = passkeys.filter(({ verifies_user }) => verifies_user || level !== 'passkey')
  const rpIds = [...new Set(counting.map(({ rp_id }) => rp_id))]
  const offers = await passkeyOffers(page, caller, await oursOf(page, rpIds))
  const { providers, ways } = await otherWays(page, caller, returnTo, { byMail, level, asks })
  const hasCode = totp !== null || recovery_codes > 0
  const field = fieldFor(level, { hasCode, hasFactor })
  const hasNone = level !== 'any' && field === undefined && offers.length === 0 && ways.length === 0
  await page.pageWithScript(status, (token, words) =>
    proofPage(words, {
      place: page.asked.host,
      token,
      title: words.sign_in.prove.title,
      lead: leadOf(words, asks, hasNone),
      action: '/auth/prove',
      hidden: {
        return_to: returnTo,
        prove: '1',
        ...(asks && Object.fromEntries(new URLSearchParams(proofQuery(asks)))),
      },
      user: caller.name,
      field,
      passkeys: offers,
      passkeyAction: '/auth/prove',
      providers,
      ways: [
        ...(hasNone ? [{ href: '/auth/me/security', text: words.sign_in.prove.add }] : ways),
        // An application may take a refusal for an answer.
        ...(/^\/auth\/consent\/[^/?]+$/.test(returnTo)
          ? [{ href: `${returnTo}?instead`, text: words.sign_in.prove.instead }]
          : []),
      ],
      // Without an email address, only an administrator can help.
      help: hasFactor || email !== null ? undefined : words.sign_in.prove.no_password,
      problem,
    }),
  )
}

const leadOf = (
  { sign_in: { prove: words } }: Catalogue,
  asks: ProofRule | undefined,
  hasNone: boolean,
): string => {
  if (asks === undefined) return words.lead
  if (hasNone) return words.none[asks.proof]
  const { proof, proof_age: seconds } = asks
  return seconds === null ? words.place[proof] : `${words.place[proof]} ${words.recent({ seconds })}`
}

/** What the page was opened for: a place that asks for a proof, or a change to the account. */
const asksIn = (given: URLSearchParams): ProofRule | undefined =>
  given.has('proof') ? readProofQuery(given) : undefined

export const prove = async (page: PageRequest): Promise<void> => {
  const returnTo = returnPath(page.query.get('return_to'), '/auth/me')
  if (await isByAnotherDevice(page)) return page.go(302, signInAnew(returnTo))
  await showProof(page, returnTo, asksIn(page.query))
}

export const postProve = async (page: PageRequest, federation: FederationParts): Promise<void> => {
  const form = await page.form()
  if (!form) return
  const returnTo = returnPath(form.get('return_to'), '/auth/me')
  const caller = await page.caller()
  if (!caller) return page.go(303, '/auth/login')
  if (await isByAnotherDevice(page)) return page.go(303, signInAnew(returnTo))
  const provider = form.get('provider')
  if (provider !== null)
    return departToProve(federation, page, { provider, next: returnTo, session: caller.session_id })
  const given = { password: form.get('password'), code: form.get('code'), assertion: form.get('answer') }
  const params = Object.fromEntries(
    Object.entries(given).filter(([, value]) => value !== null && value !== ''),
  )
  try {
    await page.call('auth.prove', params, caller)
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    return showProof(page, returnTo, asksIn(form), await inWords(page, error), 401)
  }
  await goOn(page, returnTo)
}
