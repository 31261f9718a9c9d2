import type { EventEmitter } from 'node:events'
import type { IncomingMessage as Request, ServerResponse as Response } from 'node:http'
import type { Audit } from '../audit/audit.ts'
import { guest, type Caller } from '../caller.ts'
import type { KnownClient } from '../clients/client.ts'
import { placeOf } from '../clients/redirect_uris.ts'
import type { Keys } from '../keys/keys.ts'
import type { Log } from '../log.ts'
import { Cached } from '../storage/cached.ts'
import type { SettingValues } from '../settings/definitions.ts'
import type { Database } from '../storage/database.ts'
import type { AccessTokens } from '../token/access_tokens.ts'
import { scopeOf } from './asked_claims.ts'
import { allowFormPost, dropCookie, forbidScripts } from './answers.ts'
import type { Context, Engine, EngineParts } from './engine.ts'
import { PlainAnswers } from './plain_answers.ts'
import { adoptSession } from './our_session.ts'
import { routes } from './routes.ts'
import { LivingSessions, type SignedIn } from './visitors.ts'

type Needed = 'refresh_lifetime' | 'session_idle' | 'client_registration' | 'client_metadata_documents'

interface Parts extends EngineParts {
  readonly database: Database
  readonly audit: Audit
  readonly keys: Keys
  readonly log: Log
  /** A client got a token. */
  readonly noteUse: (client: KnownClient | undefined) => void
  readonly isRightAway: (client: KnownClient, secret: string, address: string) => boolean
  readonly access: AccessTokens
  readonly setting: <K extends Needed>(name: K) => Promise<SettingValues[K]>
  readonly signOut: (sessionId: string) => Promise<void>
}

/** Who asks a person to be let in, and for what. */
export interface Asking {
  readonly name: string
  /** Where the answer goes. */
  readonly host: string
  /** The host that says what a client is whom nobody here knows; empty for one that told us itself. */
  readonly stranger: string | undefined
  readonly scopes: readonly string[]
}

/** What the page between an application and its answer is to do. */
export type Step =
  | { readonly act: 'gone' }
  /** `hint`: what the application thinks that the person types as their login; text of strangers. */
  | { readonly act: 'sign in'; readonly hint: string }
  | { readonly act: 'prove' }
  | { readonly act: 'go on'; readonly to: string }
  | { readonly act: 'switch'; readonly name: string }
  | { readonly act: 'ask'; readonly asking: Asking }

interface Visit {
  readonly who: SignedIn | undefined
  readonly caller: Caller
}

/** With what answers at its addresses. */
type Running = Engine & { readonly handle: (request: Request, response: Response) => Promise<void> }

type Interaction = Awaited<ReturnType<Engine['provider']['interactionDetails']>>

/** Our OpenID provider: the engine at its addresses, and the steps that people take between them. */
export class OpenId {
  readonly #parts: Parts
  readonly #engine: Cached<Running>
  readonly #living: LivingSessions
  readonly #visits = new WeakMap<Request, Visit>()
  readonly #seen: Readonly<Record<string, string>>
  /** What is answered without the engine's way there. */
  readonly plain: PlainAnswers

  constructor(parts: Parts) {
    this.#parts = parts
    this.#living = new LivingSessions(parts.database, () => parts.setting('session_idle'))
    const { host, protocol } = new URL(parts.issuer)
    this.#seen = { host, 'x-forwarded-host': host, 'x-forwarded-proto': protocol.slice(0, -1) }
    this.#engine = new Cached(parts.database, ['keys', 'settings'], async () => this.#create())
    this.plain = new PlainAnswers(parts, () => this.#engine.get())
  }

  async #create(): Promise<Running> {
    const { keys, setting, records, signOut } = this.#parts
    // Loaded when it is first asked for: it takes a while.
    const { createEngine } = await import('./engine.ts')
    const engine = createEngine(this.#parts, await keys.all(), {
      refreshLifetime: await setting('refresh_lifetime'),
      registration: (await setting('client_registration')) !== 'off',
      documents: await setting('client_metadata_documents'),
    })
    const { provider } = engine
    adoptSession(provider, {
      records,
      visitor: (ctx) => this.#visits.get(ctx.req)?.who,
      living: (id) => this.#living.find(id),
      signOut,
    })
    provider.use(async (ctx, next) => {
      await next()
      // Who is signed in is told by our cookie alone.
      if (this.#visits.get(ctx.req)?.who) dropCookie(ctx as Context, provider.cookieName('session'))
      allowFormPost(ctx as Context)
      forbidScripts(ctx as Context)
    })
    const failed = ({ path }: Pick<Context, 'path'>, { stack }: Error) =>
      this.#parts.log.error({ path, error: stack }, 'internal error of the OpenID provider')
    provider.on('server_error', failed)
    // Where it has no page for it; without a listener it would be written past our log.
    const errors: EventEmitter = provider
    errors.on('error', (error: Error & { expose?: boolean }, ctx: Context) => {
      if (!error.expose) failed(ctx, error)
    })
    // What applications are not told, for whoever makes one.
    provider.on('grant.error', ({ oidc }, { error, error_detail: why }) =>
      this.#parts.log.debug({ client: oidc.client?.clientId, error, why }, 'an application got no tokens'),
    )
    provider.on('authorization.success', (ctx) => this.#tell(ctx, 'oidc.authorize', 'ok'))
    provider.on('grant.success', (ctx) => this.#parts.noteUse(engine.knownClient(ctx.oidc.client)))
    provider.on('grant.revoked', (ctx) => this.#tell(ctx, 'oidc.revoke_grant', 'ok'))
    return { ...engine, handle: provider.callback() }
  }

  /** Writes a line into the audit, of what the engine did and we only hear of. */
  #tell(ctx: Context, method: string, outcome: string): void {
    const { database, audit, log } = this.#parts
    const caller = this.#visits.get(ctx.req)?.caller ?? guest({ via: 'edge' })
    const target = ctx.oidc.client ? `client=${ctx.oidc.client.clientId}` : ''
    database
      .write(() => audit.append(caller, method, target, outcome))
      .catch((error: Error) => log.error({ method, error: error.message }, 'could not be audited'))
  }

  /** The session that a caller has, as the engine reads it. While acting as somebody else nobody signs in anywhere. */
  async signedIn({ session_id, on_behalf }: Pick<Caller, 'session_id' | 'on_behalf'>) {
    if (session_id === undefined || on_behalf !== undefined) return undefined
    return this.#living.find(session_id)
  }

  /** Answers at the engine's addresses. */
  async handle(request: Request, response: Response, caller: Caller): Promise<void> {
    const { handle } = await this.#engine.get()
    // Signing out is for everybody, also for whoever acts as somebody else.
    const leaves = request.url!.startsWith(routes.end_session) && caller.session_id !== undefined
    const who = leaves ? await this.#living.find(caller.session_id!) : await this.signedIn(caller)
    this.#visits.set(request, { who, caller })
    // It builds addresses from these; ours is the public URL, whatever stands in front.
    Object.assign(request.headers, this.#seen, { 'x-forwarded-for': caller.address ?? '' })
    await handle(request, response)
  }

  /** What is next for whoever an application sent to us. */
  async step(request: Request, response: Response, caller: Caller | undefined): Promise<Step> {
    const found = await this.#interaction(request, response)
    if (!found) return { act: 'gone' }
    const who = caller && (await this.signedIn(caller))
    if (!who) return { act: 'sign in', hint: String(found.params.login_hint ?? '') }
    const { provider, knownClient } = await this.#engine.get()
    const { prompt, params, session } = found
    // What is said at an address may be gone meanwhile.
    const client = await provider.Client.find(String(params.client_id)).catch(() => undefined)
    if (!client) return { act: 'gone' }
    const name = client.clientName ?? client.clientId
    if (prompt.name === 'login') {
      const someoneElse = prompt.reasons.some(
        (reason) => reason === 'id_token_hint' || reason === 'claims_id_token_sub_value',
      )
      if (someoneElse && session?.accountId === who.user_id) return { act: 'switch', name }
      const proven = who.proven_at >= found.iat!
      if (!proven && prompt.reasons.some((reason) => reason !== 'no_session' && reason !== 'id_token_hint'))
        return { act: 'prove' }
      const login = { accountId: who.user_id, ts: who.proven_at, amr: [...who.amr] }
      return { act: 'go on', to: await this.#finish(found, { login }) }
    }
    const scopes = wanted(found)
    const known = knownClient(client)
    const { reasons } = prompt
    const givenBefore = known?.first_party
      ? scopes
      : await this.#parts.consents.of(who.user_id, client.clientId)
    // The application did not ask that people be asked; we did, as OpenID Connect Core section 11 wants for offline_access.
    const weAsked = params.offline_asked === 'yes'
    const mustAsk =
      reasons.includes('native_client_prompt') || (reasons.includes('consent_prompt') && !weAsked)
    if (!mustAsk && scopes.every((scope) => givenBefore.includes(scope)))
      return { act: 'go on', to: await this.#grant(found, who, scopes) }
    const stranger = known === undefined ? placeOf(client.clientId) : known.dynamic ? '' : undefined
    return {
      act: 'ask',
      asking: { name, host: placeOf(String(params.redirect_uri ?? '')), stranger, scopes },
    }
  }

  /** The person lets the application in: kept, so that they are not asked again. */
  async approve(request: Request, response: Response, caller: Caller): Promise<string | undefined> {
    const found = await this.#interaction(request, response)
    const who = await this.signedIn(caller)
    if (!found || !who || found.prompt.name !== 'consent') return undefined
    const { database, audit, consents } = this.#parts
    const client = String(found.params.client_id)
    const scopes = wanted(found)
    await database.write(async () => {
      await consents.give(who.user_id, client, scopes)
      await audit.append(caller, 'oidc.consent', `client=${client} scope=${scopes.join(',')}`, 'ok')
    })
    return this.#grant(found, who, scopes)
  }

  /** The application is told that the person did not want to. */
  async refuse(request: Request, response: Response, caller: Caller): Promise<string | undefined> {
    const found = await this.#interaction(request, response)
    if (!found) return undefined
    const { database, audit } = this.#parts
    const target = `client=${String(found.params.client_id)}`
    await database.write(() => audit.append(caller, 'oidc.consent', target, 'refused'))
    return this.#finish(found, { error: 'access_denied', error_description: 'The person did not allow it' })
  }

  /** Lets somebody else sign in for the same application. */
  async switchPerson(request: Request, response: Response): Promise<boolean> {
    const found = await this.#interaction(request, response)
    if (!found) return false
    found.session = undefined as never
    await found.persist()
    return true
  }

  /** Tells a client that a session ended. */
  async sendLogout(clientId: string, subject: string, sid: string): Promise<void> {
    const { provider } = await this.#engine.get()
    const client = await provider.Client.find(clientId)
    const told = client as unknown as { backchannelLogout(subject: string, sid: string): Promise<void> }
    if (client?.backchannelLogoutUri) await told.backchannelLogout(subject, sid)
  }

  async #interaction(request: Request, response: Response): Promise<Interaction | undefined> {
    const { provider } = await this.#engine.get()
    try {
      return await provider.interactionDetails(request, response)
    } catch {
      // Too old, of another browser, or of a session that ended meanwhile.
      return undefined
    }
  }

  async #grant(found: Interaction, who: SignedIn, scopes: readonly string[]): Promise<string> {
    const { provider } = await this.#engine.get()
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

/** JWT claims that are asked for one by one, and were not allowed yet. */
const missingClaims = ({ details }: Interaction['prompt']): readonly string[] =>
  (details as { missingOIDCClaims?: string[] }).missingOIDCClaims ?? []

/** The scopes that are asked for, by their names or by a claim that they bring: of our own resources as `read at https://…`. */
const wanted = ({ prompt, params }: Interaction): string[] => {
  const { missingResourceScopes } = prompt.details as {
    missingResourceScopes?: Record<string, string[]>
  }
  const claims = missingClaims(prompt).flatMap((claim) => scopeOf(claim) ?? [])
  const requested = String(params.scope ?? '')
    .split(' ')
    .filter((scope) => ['openid', 'email', 'profile', 'offline_access', 'groups', 'claims'].includes(scope))
  const resources = Object.entries(missingResourceScopes ?? {})
  return [
    ...new Set([...requested, ...claims]),
    ...resources.flatMap(([resource, scopes]) => scopes.map((scope) => `${scope} at ${resource}`)),
  ]
}
