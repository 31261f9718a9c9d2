import type { Audit } from '../audit/audit.ts'
import type { Enrolment } from '../auth/enrolment.ts'
import { signedInTarget, type signedInAs } from '../auth/signed_in.ts'
import type { SignIn } from '../auth/sign_in.ts'
import { wishing, type Caller } from '../contract/caller.ts'
import { AppError, conflict, notFound } from '../contract/errors.ts'
import { nameFrom } from '../contract/names.ts'
import type { Log } from '../log/log.ts'
import { asFault } from '../providers/provider_errors.ts'
import type { Fault } from '../providers/guarded_fetch.ts'
import type { KnownProvider } from '../providers/provider.ts'
import type { Providers } from '../providers/providers.ts'
import type { ExchangedCode, RelyingParty } from '../providers/relying_party.ts'
import { bit } from '../storage/schema.ts'
import type { Database } from '../storage/database.ts'
import type { OutgoingSignIn, FlowCookie, OutgoingSignIns, ReturnedSignIn } from './outgoing_sign_ins.ts'
import { provenAt, secondAt } from './auth_time.ts'
import type { AccountMatching, Named, RefusalReason } from './account_matching.ts'
import type { ProviderPictures, ReportedPicture } from './provider_pictures.ts'
import { nameParameter } from './posted_name.ts'
import type { ReceivedClaimsLog } from './received_claims.ts'

interface Parts {
  readonly database: Database
  readonly audit: Audit
  readonly log: Log
  readonly providers: Providers
  readonly party: RelyingParty
  readonly flows: OutgoingSignIns
  readonly recognition: AccountMatching
  readonly received: ReceivedClaimsLog
  readonly signIn: SignIn
  readonly pictures: Pick<ProviderPictures, 'follow'>
  readonly enrolment: Pick<Enrolment, 'noteRound'>
}

type SignedIn = ReturnType<typeof signedInAs>

/** The outcome of a sign-in with a provider. `provider` is its name for programs, `title` its name for people. */
export type CallbackResult =
  /** It has expired, never began, or began in another browser. */
  | { readonly act: 'gone' }
  /** The provider failed or broke the protocol. */
  | {
      readonly act: 'fault'
      readonly fault: Fault
      readonly reported: string
      readonly title: string
      readonly next: string
    }
  /** The provider vouched for the person, but we refuse them. */
  | { readonly act: 'refused'; readonly why: RefusalReason; readonly title: string; readonly next: string }
  | { readonly act: 'enter'; readonly provider: string; readonly opened: SignedIn; readonly next: string }
  | {
      readonly act: 'second step'
      readonly provider: string
      readonly sign_in: string
      readonly factors: readonly string[]
      readonly next: string
    }
  /** A signed-in person has to confirm that the identity is theirs. */
  | { readonly act: 'link'; readonly token: string; readonly next: string }

const method = 'auth.login_by_provider'

/** Sign-ins with identity providers, from the redirect to the callback. Whatever the outcome, nothing in the browser works twice. */
export class Callbacks {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /**
   * Begins a sign-in. Returns the URL that the browser opens, and the cookie by which we recognise the browser when it returns.
   * With `choose`, the provider asks which account to use. With `link`, a signed-in user adds the identity to their account. Throws not_found, rate_limited, and unavailable with
   * `data.fault`.
   */
  async begin(
    name: string,
    {
      choose,
      ...where
    }: Pick<OutgoingSignIn, 'next' | 'anew' | 'remember' | 'proves'> & { readonly choose: boolean },
    caller: Caller,
    link = false,
  ): Promise<{ url: string; cookie: FlowCookie }> {
    const { providers, party, flows } = this.#parts
    const provider = await providers.find({ provider: name })
    if (!provider) throw notFound('provider', name)
    if (link && (caller.user_id === undefined || caller.on_behalf !== undefined))
      throw conflict('Only a signed-in person can link an identity, and only as themselves')
    try {
      // Check that the provider answers before we store anything.
      await party.assertReachable(provider)
      const flow = { ...where, provider_id: provider.id, user_id: link ? caller.user_id! : null }
      const { checks, cookie } = await flows.begin(flow, caller.address)
      return {
        url: (await party.authorizationUrl(provider, checks, { anew: where.anew, choose })).href,
        cookie,
      }
    } catch (error) {
      if (error instanceof AppError) throw error
      const { fault } = this.#logFault(provider, error)
      throw new AppError('unavailable', `${provider.title} cannot be reached`, {
        fault,
        title: provider.title,
      })
    }
  }

  /**
   * Completes a sign-in. `answer` holds the provider's parameters, `path` the path of the callback, and `cookieOf` reads a flow's
   * cookie.
   */
  async complete(
    answer: URLSearchParams,
    at: {
      path: string
      cookieOf: (id: string) => string | undefined
    },
    caller: Caller,
    guest: Caller,
  ): Promise<CallbackResult> {
    const { flows, providers, party } = this.#parts
    const [state = '', ...more] = answer.getAll('state')
    if (more.length > 0) return { act: 'gone' }
    const begun = await flows.find(state)
    const provider = begun && (await providers.find({ id: begun.provider_id }))
    // Mix-up defence (RFC 9700 section 4.4): only the provider with which the flow began may answer it.
    if (!begun || !provider || new URL(provider.redirect_uri).pathname !== at.path) return { act: 'gone' }
    const flow = await flows.take(state, at.cookieOf(flows.cookieId(state)))
    if (!flow) return { act: 'gone' }
    const { next } = flow
    const { title } = provider
    const name = provider.response_mode === 'form_post' ? nameFrom(answer.get(nameParameter) ?? '') : ''
    let redeemed: ExchangedCode
    try {
      redeemed = await party.exchangeCode(provider, answer, flow.checks)
    } catch (error) {
      const { fault, reported } = this.#logFault(provider, error)
      await this.#audit(
        guest,
        `provider=${provider.provider}`,
        fault === 'refused' ? 'refused' : 'unavailable',
      )
      return { act: 'fault', fault, reported, title, next }
    }
    try {
      return await this.#decide({ ...flow, name }, redeemed, caller, guest)
    } catch (error) {
      if (!(error instanceof AppError) || error.error !== 'unauthenticated') throw error
      await this.#audit(guest, `provider=${provider.provider}`, error.error)
      return { act: 'refused', why: 'inactive', title, next }
    }
  }

  /** Returns the name of a completed flow's cookie, so that it can be deleted. */
  cookieOf(state: string): string {
    return this.#parts.flows.cookieId(state)
  }

  /** Decides and opens the session in one transaction, so that two concurrent sign-ins never create the same account twice. */
  async #decide(
    flow: ReturnedSignIn & Named,
    redeemed: ExchangedCode,
    caller: Caller,
    guest: Caller,
  ): Promise<CallbackResult> {
    const { database, providers, recognition, received, signIn, enrolment, pictures } = this.#parts
    const { next } = flow
    let reported: ReportedPicture | undefined
    const result = await database.write(async (): Promise<CallbackResult> => {
      // Read the provider again: it may have been removed, turned off or restricted while we waited for its answer.
      const provider = await providers.find({ id: flow.provider_id })
      if (!provider) return { act: 'gone' }
      const { title, provider: name } = provider
      const linkingUser = flow.user_id === null ? undefined : caller.user_id
      // If another user has signed in since, link the identity to neither of them.
      if (flow.user_id !== null && flow.user_id !== linkingUser) return { act: 'gone' }
      const refuse = async (why: RefusalReason, user?: string): Promise<CallbackResult> => {
        await this.#audit(guest, `${user === undefined ? '' : `user=${user} `}provider=${name}`, why)
        return { act: 'refused', why, title, next }
      }
      const proven_at = provenAt(flow, redeemed)
      if (proven_at === undefined) return refuse('unproven')
      const found = await recognition.match(provider, redeemed, flow, guest)
      await received.keep(name, redeemed.profile.subject, redeemed.received)
      if (found.act === 'refused') return refuse(found.why, found.user)
      if (found.act === 'link') return { ...found, next }
      const { identity_id, at_provider, user_id, username } = found
      const { avatar_url: address } = redeemed.profile
      if (provider.pictures) reported = { user_id, username, provider_id: provider.id, address }
      const second_at = secondAt(proven_at, redeemed, provider)
      const by = { provider: name, identity_id, at_provider, proven_at, second_at }
      const about = `user=${found.username} provider=${name}`
      const asked = { id: found.user_id, has_factor: bit(found.has_factor) }
      if (await signIn.secondSteps.isNeeded(asked, guest)) {
        const factorRequired = await signIn.secondSteps.begin(
          { id: found.user_id, username: found.username },
          'after_provider',
          { remember: flow.remember, by },
        )
        await this.#audit(guest, about, factorRequired.error)
        return {
          act: 'second step',
          provider: name,
          ...(factorRequired.data as unknown as { sign_in: string; factors: string[] }),
          next,
        }
      }
      const opener = { ...wishing(guest, flow.remember), replaces: caller.session_id }
      const opened = await signIn.open(found.user_id, name, opener, '', by)
      const isSame = caller.user_id === found.user_id && caller.on_behalf === undefined
      // A round that was begun for anything else, or in another session, proves no more than a sign-in does.
      if (flow.anew && isSame && flow.proves !== undefined && flow.proves === caller.session_id)
        await enrolment.noteRound(flow.proves)
      await this.#audit(guest, `${signedInTarget(opened)} provider=${name}`, 'ok')
      return { act: 'enter', provider: name, opened, next }
    })
    if (reported) pictures.follow(reported, guest)
    return result
  }

  #audit(caller: Caller, target: string, outcome: string): Promise<void> {
    const { database, audit } = this.#parts
    return database.write(() => audit.append(caller, method, target, outcome))
  }

  #logFault(provider: KnownProvider, error: unknown) {
    const fault = asFault(error)
    const { log } = this.#parts
    log.warn(
      { provider: provider.provider, fault: fault.fault, error: fault.message },
      'an identity provider failed',
    )
    return fault
  }
}
