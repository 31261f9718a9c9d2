import type { IncomingMessage as Request, ServerResponse as Response } from 'node:http'
import type { AskTokens } from '../asking/ask_tokens.ts'
import { clientRef } from '../contract/place.ts'
import type { Audit } from '../audit/audit.ts'
import type { Caller } from '../contract/caller.ts'
import { destinationOf } from '../clients/redirect_uris.ts'
import type { Database } from '../storage/database.ts'
import type { Accounts, ScopeClaims } from './accounts.ts'
import { scopeOf } from './requested_claims.ts'
import type { Consents } from '../consents/consents.ts'
import { orUndefined } from './engine/errors.ts'
import type { ClientWithCredentials } from '../clients/client.ts'
import type { ClientRules } from '../identity/client_rules.ts'
import { signInNeeded, type Verdict } from '../identity/judge.ts'
import type { LiveSessions } from '../sessions/live_sessions.ts'
import { askedProof, declinedBy, isNewest, ruleOf } from './asked_proof.ts'
import type { SignedIn } from './signed_in.ts'
import type { ProofStep, Step } from './step.ts'
import type { Engine } from './engine/types.ts'

interface Parts {
  readonly database: Database
  readonly audit: Audit
  readonly accounts: Pick<Accounts, 'scopeClaims'>
  readonly consents: Consents
  readonly engine: () => Promise<Engine>
  readonly signedIn: (caller: Caller) => Promise<SignedIn | undefined>
  readonly rules: ClientRules
  readonly askTokens: Pick<AskTokens, 'issue'>
  readonly liveSessions: Pick<LiveSessions, 'byId'>
}

type Interaction = Awaited<ReturnType<Engine['provider']['interactionDetails']>>

/** The steps that people take between an application's request and our response. */
export class Interactions {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** Returns the next step for the person whom an application sent to us. */
  async step(request: Request, response: Response, caller: Caller | undefined): Promise<Step> {
    const found = await this.#interaction(request, response)
    if (!found) return { act: 'gone' }
    const who = caller && (await this.#parts.signedIn(caller))
    if (!who) {
      const hint = String(found.params.login_hint ?? '')
      return { act: 'sign in', hint, chooses: found.prompt.name === 'select_account' }
    }
    const { provider, knownClient } = await this.#parts.engine()
    const { prompt, params, session } = found
    // The client's metadata document may have disappeared since the request.
    const client = await provider.Client.find(String(params.client_id)).catch(orUndefined)
    if (!client) return { act: 'gone' }
    const name = client.clientName ?? client.clientId
    // A person who was a guest when the request began has chosen by signing in.
    if (prompt.name === 'select_account')
      return session?.accountId === undefined
        ? { act: 'go on', to: await this.#finish(found, { select_account: {} }) }
        : { act: 'choose', name }
    if (prompt.name === 'login') {
      const someoneElse = prompt.reasons.some(
        (reason) => reason === 'id_token_hint' || reason === 'claims_id_token_sub_value',
      )
      if (someoneElse && session?.accountId === who.user_id) return { act: 'switch', name }
      const lacking = loginLack(found, who)
      if (lacking) return { act: 'prove', name, ...lacking }
      const login = { accountId: who.user_id, ts: who.proven_at, amr: [...who.amr] }
      return { act: 'go on', to: await this.#finish(found, { login }) }
    }
    const known = knownClient(client)
    if (prompt.name === 'rule') {
      const { lack, asks } = await this.#judge(who, known, found)
      if (lack === undefined) return { act: 'go on', to: await this.#finish(found, { rule: {} }) }
      if (lack === 'proof') {
        const { lack: rest } = await this.#judge(who, known, found, true)
        return { act: 'prove', name, asks, optional: rest === undefined }
      }
      const token =
        lack === 'claims' && known && known.ask_group !== null
          ? this.#parts.askTokens.issue(who.user_id, clientRef(known))
          : undefined
      return { act: 'no access', name, host: destinationOf(String(params.redirect_uri ?? '')), token }
    }
    const scopes = wanted(found, await this.#parts.accounts.scopeClaims())
    const { reasons } = prompt
    const givenBefore = known?.first_party
      ? scopes
      : await this.#parts.consents.of(who.user_id, client.clientId)
    // We added this prompt, because OpenID Connect Core section 11 requires consent for offline_access. The application did not.
    const addedByUs = params.offline_asked === 'yes'
    const mustAsk =
      reasons.includes('native_client_prompt') || (reasons.includes('consent_prompt') && !addedByUs)
    if (!mustAsk && scopes.every((scope) => givenBefore.includes(scope)))
      return { act: 'go on', to: await this.#grant(found, who, scopes) }
    if (who.by_another_device) return { act: 'prove', name, optional: false }
    const stranger = known === undefined ? destinationOf(client.clientId) : known.dynamic ? '' : undefined
    return {
      act: 'ask',
      asking: { name, host: destinationOf(String(params.redirect_uri ?? '')), stranger, scopes },
    }
  }

  async #judge(
    who: SignedIn,
    client: ClientWithCredentials | undefined,
    found: Interaction,
    declined = declinedBy(found.lastSubmission, who.user_id),
  ): Promise<Verdict> {
    const { rules, liveSessions } = this.#parts
    const live = await liveSessions.byId(who.session_id)
    const asked = askedProof(found.params, declined)
    // The engine has refused such a request before.
    return live && asked !== 'unmet' ? rules.enter(live, client, ruleOf(asked)) : signInNeeded
  }

  /** Stores the person's consent, so that they are not asked again, and continues. */
  async approve(request: Request, response: Response, caller: Caller): Promise<string | undefined> {
    const found = await this.#interaction(request, response)
    const who = await this.#parts.signedIn(caller)
    if (!found || !who || who.by_another_device || found.prompt.name !== 'consent') return undefined
    const { database, audit, consents } = this.#parts
    const client = String(found.params.client_id)
    const scopes = wanted(found, await this.#parts.accounts.scopeClaims())
    await database.write(async () => {
      await consents.give(who.user_id, client, scopes)
      await audit.append(caller, 'oidc.consent', `client=${client} scope=${scopes.join(',')}`, 'ok')
    })
    return this.#grant(found, who, scopes)
  }

  /**
   * The person does not give the proof that the request asks for. If it goes on without, it does; otherwise the application gets
   * unmet_authentication_requirements (OpenID Connect Core Error Code unmet_authentication_requirements 1.0).
   */
  async decline(request: Request, response: Response, caller: Caller): Promise<string | undefined> {
    const step = await this.step(request, response, caller)
    const found = step.act === 'prove' ? await this.#interaction(request, response) : undefined
    if (step.act !== 'prove' || !found) return undefined
    const { database, audit } = this.#parts
    const target = `client=${String(found.params.client_id)}`
    await database.write(() => audit.append(caller, 'oidc.decline_proof', target, 'ok'))
    return this.#finish(found, step.optional ? { declined: { by: caller.user_id } } : unmet)
  }

  /** Reports to the application that the person refused. */
  async refuse(request: Request, response: Response, caller: Caller): Promise<string | undefined> {
    const found = await this.#interaction(request, response)
    if (!found) return undefined
    const { database, audit } = this.#parts
    const target = `client=${String(found.params.client_id)}`
    await database.write(() => audit.append(caller, 'oidc.consent', target, 'refused'))
    return this.#finish(found, { error: 'access_denied', error_description: 'The person denied access' })
  }

  /** The person goes on with the account that they are signed in to. */
  async keepAccount(request: Request, response: Response, caller: Caller): Promise<string | undefined> {
    const found = await this.#interaction(request, response)
    const who = await this.#parts.signedIn(caller)
    if (!found || !who || found.prompt.name !== 'select_account') return undefined
    return this.#finish(found, { select_account: {} })
  }

  /** Lets another person sign in for the same request. */
  async switchPerson(request: Request, response: Response): Promise<boolean> {
    const found = await this.#interaction(request, response)
    if (!found) return false
    found.session = undefined as never
    found.lastSubmission = undefined
    await found.persist()
    return true
  }

  async #interaction(request: Request, response: Response): Promise<Interaction | undefined> {
    const { provider } = await this.#parts.engine()
    // The engine refuses an interaction that has expired, that is of another browser, or whose session has ended.
    return provider.interactionDetails(request, response).catch(orUndefined)
  }

  async #grant(found: Interaction, who: SignedIn, scopes: readonly string[]): Promise<string> {
    const { provider } = await this.#parts.engine()
    const clientId = String(found.params.client_id)
    const before = found.grantId === undefined ? undefined : await provider.Grant.find(found.grantId)
    const grant =
      before?.accountId === who.user_id && before.clientId === clientId
        ? before
        : new provider.Grant({ accountId: who.user_id, clientId })
    for (const scope of scopes) {
      const [name = '', resource] = scope.split(' at ')
      if (resource === undefined) grant.addOIDCScope(name)
      else grant.addResourceScope(resource, name)
    }
    grant.addOIDCClaims([...missingClaims(found.prompt)])
    return this.#finish(found, { consent: { grantId: await grant.save() } })
  }

  async #finish(found: Interaction, result: object): Promise<string> {
    found.result = { ...found.lastSubmission, ...result } as never
    await found.persist()
    return found.returnTo
  }
}

const unmet = {
  error: 'unmet_authentication_requirements',
  error_description: 'The person did not prove who they are as this request asks',
}

/** What a person must prove before a sign-in that the request asked for counts; undefined if nothing. */
const loginLack = (
  { prompt, params, iat, lastSubmission }: Interaction,
  who: SignedIn,
): Pick<ProofStep, 'asks' | 'optional'> | undefined => {
  const { before } = prompt.details as { readonly before?: Partial<SignedIn> }
  const newer = before?.session_id === who.session_id ? who.given > before.given! : who.proven_at >= iat!
  const asked = askedProof(params, declinedBy(lastSubmission, who.user_id))
  const isOfLevel = asked === 'unmet' || !prompt.reasons.includes('max_age') || isNewest(asked, who.proofs)
  const asksAnew = prompt.reasons.some((reason) => reason !== 'no_session' && reason !== 'id_token_hint')
  if (!asksAnew || (newer && isOfLevel)) return undefined
  if (asked === 'unmet' || asked.level === 'any') return { optional: false }
  return { asks: ruleOf(asked), optional: asked.level !== asked.essential }
}

/** Individually requested JWT claims that the person has not yet allowed. */
const missingClaims = ({ details }: Interaction['prompt']): readonly string[] =>
  (details as { missingOIDCClaims?: string[] }).missingOIDCClaims ?? []

/** The requested scopes, by name or by a claim that they grant. Those of our own resources look like `read at https://…`. */
const wanted = ({ prompt, params }: Interaction, scopeClaims: ScopeClaims): string[] => {
  const { missingResourceScopes } = prompt.details as {
    missingResourceScopes?: Record<string, string[]>
  }
  const claims = missingClaims(prompt).flatMap((claim) => scopeOf(claim, scopeClaims) ?? [])
  const requested = String(params.scope ?? '')
    .split(' ')
    .filter((scope) => ['openid', 'email', 'profile', 'offline_access', 'groups', 'claims'].includes(scope))
  const resources = Object.entries(missingResourceScopes ?? {})
  return [
    ...new Set([...requested, ...claims]),
    ...resources.flatMap(([resource, scopes]) => scopes.map((scope) => `${scope} at ${resource}`)),
  ]
}
