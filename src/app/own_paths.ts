import type { FederationParts } from '../pages/sign_in/provider_parts.ts'
import { isJson } from '../wire/media_type.ts'
import { redirect } from '../wire/responses.ts'
import { notHere } from '../wire/refusal.ts'
import type { Tell } from '../html/show_refusal.ts'
import type { Asked } from '../wire/request.ts'
import * as account from '../pages/account/account.ts'
import * as pages from '../pages/sign_in/sign_in.ts'
import * as email from '../pages/sign_in/mailed_links.ts'
import { heroAuthPaths } from '../rest/hero_auth_paths.ts'
import * as federation from '../pages/sign_in/providers.ts'
import * as openid from '../pages/openid/openid.ts'
import * as proof from '../pages/sign_in/proofs.ts'
import type { HeroAuth } from '../rest/hero_auth.ts'
import type { OpenId } from '../oidc/openid_provider.ts'
import type { Registrations } from '../oidc/registration.ts'
import type { RpcPath } from '../rpc/post_rpc.ts'
import { safeNext } from '../pages/return_path.ts'
import { stillPaths, type StillParts } from '../pages/files.ts'
import { Visit, type VisitParts } from '../pages/page_request.ts'
import type { OwnPath, Methods, OwnPathTable } from '../wire/own_path.ts'

/** Names that are ours on every host, whether or not this version serves them: no route can take them. */
const exact = new Set([
  '/login',
  '/logout',
  '/oauth/callback',
  '/auth',
  '/mcp',
  '/admin',
  '/metrics',
  '/authorize',
  '/token',
  '/userinfo',
])
const below = ['/auth/', federation.callbacks, '/admin/', '/.well-known/', '/mcp/']

const query = (asked: Asked) => new URL(asked.target, 'http://door.invalid').searchParams

interface OwnPathsParts extends StillParts {
  readonly visits: VisitParts
  readonly rpc: RpcPath
  readonly openId: OpenId
  readonly heroAuth: HeroAuth
  readonly registrations: Registrations
  readonly federation: FederationParts
  readonly publicHost: string
}

/** The proxy's own paths: one table from path and method to what answers. */
export class OwnPaths implements OwnPathTable {
  readonly #paths: ReadonlyMap<string, Methods>
  /** What counts at the host of the public URL alone. */
  readonly #home: ReadonlyMap<string, Methods>
  /** The same, with one more segment behind it. */
  readonly #below: ReadonlyMap<string, Methods>
  /** The same, of what was the old service's: what is not posted there may be a page of a service. */
  readonly #posted: ReadonlyMap<string, OwnPath>
  readonly #callback: Methods
  readonly #publicHost: string
  readonly #tell: Tell

  constructor(parts: OwnPathsParts) {
    const { visits, rpc, openId, registrations, heroAuth, publicHost, tell } = parts
    this.#publicHost = publicHost
    this.#tell = tell
    const journey =
      (show: (parts: FederationParts, visit: Visit) => Promise<void>): OwnPath =>
      (request, response, asked) =>
        show(parts.federation, new Visit(visits, request, response, asked))
    this.#callback = { GET: journey(federation.callback) }
    type OpenIdPage = typeof openid.engine
    const step =
      (show: OpenIdPage): OwnPath =>
      (request, response, asked) =>
        show(openId, new Visit(visits, request, response, asked), request, response, asked)
    const engine = step(openid.engine)
    const asks = { GET: engine, OPTIONS: engine }
    const takes = { POST: engine, OPTIONS: engine }
    const old = heroAuthPaths(heroAuth, tell)
    const plainToken = step(openid.plainly('token'))
    const token: OwnPath = (request, response, asked) =>
      isJson(request.headers['content-type'])
        ? old.token(request, response, asked)
        : plainToken(request, response, asked)
    this.#posted = new Map([
      ['/register', old.register],
      ['/validate', old.validate],
    ])
    this.#home = new Map<string, Methods>([
      ['/authorize', { GET: step(openid.authorize), POST: step(openid.authorize) }],
      ['/token', { ...takes, POST: token }],
      ['/userinfo', { ...asks, ...takes }],
      ['/oauth/introspect', { ...takes, POST: step(openid.plainly('introspect')) }],
      ['/oauth/revoke', takes],
      ['/oauth/par', { ...takes, POST: step(openid.push) }],
      ['/oauth/device', takes],
      [
        '/oauth/register',
        {
          POST: (request, response, asked) =>
            openid.register(
              registrations,
              new Visit(visits, request, response, asked),
              request,
              response,
              asked,
            ),
        },
      ],
      ['/oauth/logout', { ...asks, POST: step(openid.asLink) }],
      ['/oauth/logout/confirm', takes],
      ['/oauth/logout/success', asks],
      ['/device', { GET: engine, POST: engine }],
      [
        '/oauth/backchannel_logout',
        {
          POST: (request, response, asked) =>
            federation.backchannelLogout(
              parts.federation,
              new Visit(visits, request, response, asked),
              request,
              response,
              asked,
            ),
        },
      ],
      ['/.well-known/openid-configuration', asks],
      ['/.well-known/oauth-authorization-server', asks],
    ])
    this.#below = new Map<string, Methods>([
      ['/authorize', asks],
      ['/device', asks],
      ['/auth/consent', { GET: step(openid.consent), POST: step(openid.postConsent) }],
    ])
    const page =
      (show: (visit: Visit) => Promise<void>): OwnPath =>
      (request, response, asked) =>
        show(new Visit(visits, request, response, asked))
    const paths: Record<string, Record<string, OwnPath>> = {
      '/auth': { GET: (_, response, asked) => redirect(response, asked, 302, '/auth/me') },
      '/auth/login': { GET: page(pages.signIn), POST: page(pages.postSignIn) },
      '/auth/logout': {
        GET: page(pages.signOut),
        POST: page((visit) => pages.postSignOut(visit, parts.federation)),
      },
      '/auth/link': { GET: journey(federation.confirmLink), POST: journey(federation.postLink) },
      '/auth/link/begin': { POST: journey(federation.postBeginLink) },
      '/oauth/callback': this.#callback,
      '/auth/setup': { GET: page(pages.setup), POST: page(pages.postSetup) },
      '/auth/register': { GET: page(email.register), POST: page(email.postRegister) },
      '/auth/verify': { GET: page(email.verify), POST: page(email.postVerify) },
      '/auth/reset': { GET: page(email.reset), POST: page(email.postReset) },
      '/auth/magic': { GET: page(email.magic), POST: page(email.postMagic) },
      '/auth/factor': { POST: page(proof.postFactor) },
      '/auth/passkey': { POST: page(proof.postPasskey) },
      '/auth/prove': { GET: page(proof.prove), POST: page(proof.postProve) },
      '/auth/me': { GET: page(account.me) },
      ...Object.fromEntries(
        account.accountActions.map((name) => [
          `/auth/account/${name}`,
          { POST: page(account.postAccount(name)) },
        ]),
      ),
      '/auth/stop_impersonating': { POST: page(pages.postStopImpersonating) },
      '/login': {
        GET: journey(federation.login),
        POST: (request, response, asked) =>
          asked.host === publicHost
            ? old.login(request, response, asked)
            : tell(request, response, asked, notHere),
      },
      '/logout': {
        GET: (_, response, asked) => {
          const next = query(asked).get('next')
          const onward = next === null ? '' : `?next=${encodeURIComponent(safeNext(next))}`
          redirect(response, asked, 302, `/auth/logout${onward}`)
        },
      },
      '/rpc': { POST: rpc.post },
      ...stillPaths(parts),
    }
    this.#paths = new Map(Object.entries(paths))
  }

  /** What answers at a path, or undefined where routes decide. Paths are compared as received, byte for byte. */
  find({ path, host, method }: Pick<Asked, 'path' | 'host' | 'method'>): OwnPath | undefined {
    if (method === 'POST' && host === this.#publicHost) {
      const posted = this.#posted.get(path)
      if (posted) return posted
    }
    const known = path.startsWith(federation.callbacks) ? this.#callback : this.#paths.get(path)
    const methods = known ?? (host === this.#publicHost ? this.#atHome(path) : undefined)
    if (methods) return this.#answer(methods)
    const taken = exact.has(path) || below.some((prefix) => path.startsWith(prefix))
    return taken ? (request, response, asked) => this.#tell(request, response, asked, notHere) : undefined
  }

  #atHome(path: string): Methods | undefined {
    const end = path.lastIndexOf('/')
    return this.#home.get(path) ?? (end < path.length - 1 ? this.#below.get(path.slice(0, end)) : undefined)
  }

  #answer(methods: Methods): OwnPath {
    return (request, response, asked) => {
      const method = request.method === 'HEAD' ? 'GET' : request.method!
      if (Object.hasOwn(methods, method)) return methods[method]!(request, response, asked)
      const allow = Object.keys(methods).join(', ')
      this.#tell(request, response, asked, {
        status: 405,
        reason: 'method_not_allowed',
        values: { allow },
        code: 'method_not_allowed',
        headers: { allow },
      })
    }
  }
}
