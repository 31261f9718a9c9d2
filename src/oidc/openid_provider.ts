import type { IncomingMessage as Request, ServerResponse as Response } from 'node:http'
import type { AskTokens } from '../asking/ask_tokens.ts'
import type { Audit } from '../audit/audit.ts'
import { guest, type Caller } from '../contract/caller.ts'
import type { ClientWithCredentials } from '../clients/client.ts'
import type { Keys } from '../keys/keys.ts'
import type { Log } from '../log/log.ts'
import { Cached } from '../storage/cached.ts'
import type { SettingValues } from '../settings/definitions.ts'
import type { Database } from '../storage/database.ts'
import type { AccessTokens } from '../token/access_tokens.ts'
import {
  allowFormPost,
  dropCookie,
  endsSession,
  goodbye,
  leavesByForm,
  removeCorsHeaders,
  skipGuestLogout,
} from './engine/response_headers.ts'
import { reportFaults } from './engine/errors.ts'
import { DirectEndpoints } from './direct_endpoints.ts'
import { adoptSession } from './engine/session.ts'
import { Interactions } from './interactions.ts'
import { routes } from './engine/endpoint_paths.ts'
import { ActiveSessions, type SignedIn } from './signed_in.ts'
import type { Context, Engine, EngineParts } from './engine/types.ts'

type Needed = 'refresh_lifetime' | 'client_registration' | 'client_metadata_documents'

interface Parts extends EngineParts {
  readonly database: Database
  readonly askTokens: Pick<AskTokens, 'issue'>
  readonly audit: Audit
  readonly keys: Keys
  readonly log: Log
  /** Records that a client got a token. */
  readonly noteUse: (client: ClientWithCredentials | undefined) => void
  readonly isRightAway: (client: ClientWithCredentials, secret: string, address: string) => boolean
  readonly access: AccessTokens
  readonly setting: <K extends Needed>(name: K) => Promise<SettingValues[K]>
  /** Returns the seconds without use after which a sign-in ends. */
  readonly idle: (remembered: boolean) => Promise<number>
  readonly signOut: (sessionId: string) => Promise<void>
}

interface Visit {
  readonly who: SignedIn | undefined
  readonly caller: Caller
  readonly signedOut: SignedOut | undefined
}

/** Answers once the session of a request has ended, and leads on to an address of the application or of ours. */
export type SignedOut = (to: string) => Promise<void>

/** An engine together with its request handler. */
type Running = Engine & { readonly handle: (request: Request, response: Response) => Promise<void> }

/** Our OpenID provider: the engine and our additions to it. */
export class OpenId {
  readonly #parts: Parts
  readonly #engine: Cached<Running>
  readonly #sessions: ActiveSessions
  readonly #requests = new WeakMap<Request, Visit>()
  readonly #publicHeaders: Readonly<Record<string, string>>
  /** Fast paths that bypass the engine's middleware. */
  readonly direct: DirectEndpoints
  /** The steps that people take between an application's request and our response. */
  readonly interactions: Interactions

  constructor(parts: Parts) {
    this.#parts = parts
    this.#sessions = new ActiveSessions(parts.database, parts.idle)
    const { host, protocol } = new URL(parts.issuer)
    this.#publicHeaders = { host, 'x-forwarded-host': host, 'x-forwarded-proto': protocol.slice(0, -1) }
    this.#engine = new Cached(parts.database, ['keys', 'settings'], async () => this.#create())
    this.direct = new DirectEndpoints(parts, () => this.#engine.get())
    this.interactions = new Interactions({
      ...parts,
      engine: async () => this.#engine.get(),
      signedIn: (caller) => this.signedIn(caller),
    })
  }

  async #create(): Promise<Running> {
    const { keys, setting, records, signOut, accounts } = this.#parts
    // Loaded at the first use, because loading is slow.
    const { createEngine } = await import('./engine/engine.ts')
    const engine = createEngine(this.#parts, await keys.allPublished(), {
      refreshLifetime: await setting('refresh_lifetime'),
      registration: (await setting('client_registration')) !== 'off',
      documents: await setting('client_metadata_documents'),
      scopeClaims: await accounts.scopeClaims(),
    })
    const { provider } = engine
    adoptSession(provider, {
      records,
      visitor: (ctx) => this.#requests.get(ctx.req)?.who,
      living: (id) => this.#sessions.find(id),
      signOut,
    })
    provider.use(async (ctx, next) => {
      await next()
      // Our own cookie alone says who is signed in, so the engine's cookie is not sent.
      if (this.#requests.get(ctx.req)?.who) dropCookie(ctx as Context, provider.cookieName('session'))
      skipGuestLogout(ctx as Context)
      allowFormPost(ctx as Context)
      const { signedOut } = this.#requests.get(ctx.req) ?? {}
      if (signedOut && endsSession(ctx as Context)) return goodbye(ctx as Context, signedOut)
      const away = leavesByForm(ctx as Context)
      if (away !== undefined) await this.#leave(ctx as Context, away)
      removeCorsHeaders(ctx as Context)
    })
    reportFaults(provider, this.#parts)
    // Applications get a general error. The detail is in the log, for their developers.
    provider.on('grant.error', ({ oidc }, { error, error_detail: why }) =>
      this.#parts.log.debug({ client: oidc.client?.clientId, error, why }, 'an application got no tokens'),
    )
    provider.on('authorization.success', (ctx) => this.#audit(ctx, 'oidc.authorize', 'ok'))
    provider.on('grant.success', (ctx) => this.#parts.noteUse(engine.knownClient(ctx.oidc.client)))
    provider.on('grant.revoked', (ctx) => this.#audit(ctx, 'oidc.revoke_grant', 'ok'))
    return { ...engine, handle: provider.callback() }
  }

  async #leave(ctx: Context, to: string): Promise<void> {
    ctx.response.remove('location')
    ctx.status = 200
    await this.#parts.pages.leave(ctx, to)
  }

  /** Audits an event of the engine. */
  #audit(ctx: Context, method: string, outcome: string): void {
    const { database, audit, log } = this.#parts
    const caller = this.#requests.get(ctx.req)?.caller ?? guest({ via: 'edge' })
    const target = ctx.oidc.client ? `client=${ctx.oidc.client.clientId}` : ''
    database
      .write(() => audit.append(caller, method, target, outcome))
      .catch((error: Error) => log.error({ method, error: error.message }, 'could not write to the audit'))
  }

  /** Returns the caller's session as the engine reads it. Undefined while impersonating: an impersonator must not sign in elsewhere. */
  async signedIn({ session_id, on_behalf }: Pick<Caller, 'session_id' | 'on_behalf'>) {
    if (session_id === undefined || on_behalf !== undefined) return undefined
    return this.#sessions.find(session_id)
  }

  /** Answers a request to the engine's endpoints. */
  async handle(request: Request, response: Response, caller: Caller, signedOut?: SignedOut): Promise<void> {
    const { handle } = await this.#engine.get()
    // An impersonator may sign out as well.
    const signsOut = request.url!.startsWith(routes.end_session) && caller.session_id !== undefined
    const who = signsOut ? await this.#sessions.find(caller.session_id!) : await this.signedIn(caller)
    this.#requests.set(request, { who, caller, signedOut })
    // The engine builds URLs from these headers. They must match the public URL, not the request.
    Object.assign(request.headers, this.#publicHeaders, { 'x-forwarded-for': caller.address ?? '' })
    await handle(request, response)
  }

  /** Notifies a client that a session ended. */
  async sendLogout(clientId: string, subject: string, sid: string): Promise<void> {
    const { provider, knownClient, trustDocumentAddress } = await this.#engine.get()
    const client = await provider.Client.find(clientId)
    const receiver = client as unknown as { backchannelLogout(subject: string, sid: string): Promise<void> }
    if (!client?.backchannelLogoutUri) return
    if (!knownClient(client)) trustDocumentAddress(new URL(client.backchannelLogoutUri).href)
    await receiver.backchannelLogout(subject, sid)
  }
}
