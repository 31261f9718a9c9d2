import type { OpenId } from '../oidc/openid_provider.ts'
import type { Registrations } from '../oidc/registration.ts'
import { homeAndRouted, type OwnPath, type OwnPathHandler } from '../wire/own_path.ts'
import type { EdgeRequest } from '../wire/request.ts'
import { redirect } from '../wire/responses.ts'
import * as account from './account/account.ts'
import { stillPaths, type StillParts } from './files.ts'
import * as openid from './openid/openid.ts'
import { PageRequest, type PageRequestParts } from './page_request.ts'
import { returnPath } from './return_path.ts'
import * as email from './sign_in/mailed_links.ts'
import * as proof from './sign_in/proofs.ts'
import type { FederationParts } from './sign_in/provider_parts.ts'
import * as federation from './sign_in/providers.ts'
import * as signIn from './sign_in/sign_in.ts'

interface Parts extends StillParts {
  readonly visits: PageRequestParts
  readonly openId: OpenId
  readonly registrations: Registrations
  readonly federation: FederationParts
}

/** The pages for people, and what an OpenID provider and a relying party answer. */
export const pagePaths = (parts: Parts): readonly OwnPath[] => [
  ...signInPaths(parts),
  ...providerPaths(parts),
  ...accountPaths(parts),
  ...openIdPaths(parts),
  ...stillPaths(parts),
  { path: '/auth/*', methods: [], at: homeAndRouted },
]

type Show = (visit: PageRequest) => Promise<void>

const shown =
  ({ visits }: Parts, show: Show): OwnPathHandler =>
  (request, response, asked) =>
    show(new PageRequest(visits, request, response, asked))

const page = (parts: Parts, path: string, show: Show): OwnPath => ({
  path,
  methods: ['GET'],
  at: homeAndRouted,
  handler: shown(parts, show),
})
const form = (parts: Parts, path: string, take: Show): OwnPath => ({
  path,
  methods: ['POST'],
  takes: 'form',
  at: homeAndRouted,
  handler: shown(parts, take),
})

const query = (asked: EdgeRequest) => new URL(asked.target, 'http://door.invalid').searchParams

const signInPaths = (parts: Parts): readonly OwnPath[] => [
  page(parts, '/auth/login', signIn.signIn),
  form(parts, '/auth/login', signIn.postSignIn),
  page(parts, '/auth/logout', signIn.signOut),
  form(parts, '/auth/logout', (visit) => signIn.postSignOut(visit, parts.federation)),
  {
    path: '/logout',
    methods: ['GET'],
    at: homeAndRouted,
    handler: (_, response, asked) => {
      const next = query(asked).get('next')
      const onward = next === null ? '' : `?next=${encodeURIComponent(returnPath(next))}`
      redirect(response, asked, 302, `/auth/logout${onward}`)
    },
  },
  page(parts, '/auth/setup', signIn.setup),
  form(parts, '/auth/setup', signIn.postSetup),
  page(parts, '/auth/register', email.register),
  form(parts, '/auth/register', email.postRegister),
  page(parts, '/auth/verify', email.verify),
  form(parts, '/auth/verify', email.postVerify),
  page(parts, '/auth/reset', email.reset),
  form(parts, '/auth/reset', email.postReset),
  page(parts, '/auth/magic', email.magic),
  form(parts, '/auth/magic', email.postMagic),
  form(parts, '/auth/factor', proof.postFactor),
  form(parts, '/auth/passkey', proof.postPasskey),
  page(parts, '/auth/prove', proof.prove),
  form(parts, '/auth/prove', proof.postProve),
]

/** Signing in with an identity provider. Each provider has a callback of its own, but for one without a name there. */
const providerPaths = (parts: Parts): readonly OwnPath[] => {
  const { visits, federation: provider } = parts
  return [
    page(parts, '/login', (visit) => federation.login(provider, visit)),
    page(parts, '/auth/link', (visit) => federation.confirmLink(provider, visit)),
    form(parts, '/auth/link', (visit) => federation.postLink(provider, visit)),
    form(parts, '/auth/link/begin', (visit) => federation.postBeginLink(provider, visit)),
    page(parts, '/oauth/callback', (visit) => federation.callback(provider, visit)),
    page(parts, '/oauth/callback/*', (visit) => federation.callback(provider, visit)),
    {
      path: '/oauth/backchannel_logout',
      methods: ['POST'],
      takes: 'form',
      at: ['home'],
      handler: (request, response, asked) => {
        const visit = new PageRequest(visits, request, response, asked)
        return federation.backchannelLogout(provider, visit, request, response, asked)
      },
    },
  ]
}

const accountPaths = (parts: Parts): readonly OwnPath[] => [
  {
    path: '/auth',
    methods: ['GET'],
    at: homeAndRouted,
    handler: (_, response, asked) => redirect(response, asked, 302, '/auth/me'),
  },
  page(parts, '/auth/me', account.me),
  ...account.accountActions.map((name) => form(parts, `/auth/account/${name}`, account.postAccount(name))),
  form(parts, '/auth/stop_impersonating', signIn.postStopImpersonating),
]

const openIdPaths = ({ visits, openId, registrations }: Parts): readonly OwnPath[] => {
  const step =
    (show: typeof openid.engine): OwnPathHandler =>
    (request, response, asked) =>
      show(openId, new PageRequest(visits, request, response, asked), request, response, asked)
  const engine = step(openid.engine)
  const register: OwnPathHandler = (request, response, asked) => {
    const visit = new PageRequest(visits, request, response, asked)
    return openid.register(registrations, visit, request, response, asked)
  }
  const at = ['home'] as const
  /** Asked by reading, and by scripts of other origins whether they may. */
  const asks = { methods: ['GET', 'OPTIONS'], at, handler: engine }
  const takes = { methods: ['POST', 'OPTIONS'], takes: 'form', at, handler: engine } as const
  const options = { methods: ['OPTIONS'], at, handler: engine }
  const post = { methods: ['POST'], takes: 'form', at } as const
  const authorize = step(openid.authorize)
  return [
    { path: '/authorize', methods: ['GET', 'POST'], takes: 'form', at, handler: authorize },
    { ...asks, path: '/authorize/{id}' },
    { path: '/auth/consent/{id}', methods: ['GET'], at, handler: step(openid.consent) },
    { ...post, path: '/auth/consent/{id}', handler: step(openid.postConsent) },
    { ...post, path: '/token', handler: step(openid.plainly('token')) },
    { ...options, path: '/token' },
    { path: '/userinfo', methods: ['GET', 'OPTIONS', 'POST'], takes: 'form', at, handler: engine },
    { ...post, path: '/oauth/introspect', handler: step(openid.plainly('introspect')) },
    { ...options, path: '/oauth/introspect' },
    { ...takes, path: '/oauth/revoke' },
    { ...post, path: '/oauth/par', handler: step(openid.push) },
    { ...options, path: '/oauth/par' },
    { ...takes, path: '/oauth/device' },
    { path: '/device', methods: ['GET', 'POST'], takes: 'form', at, handler: engine },
    { ...asks, path: '/device/{id}' },
    { path: '/oauth/register', methods: ['POST'], takes: 'json', at, handler: register },
    { ...asks, path: '/oauth/logout' },
    { ...post, path: '/oauth/logout', handler: step(openid.asLink) },
    { ...takes, path: '/oauth/logout/confirm' },
    { ...asks, path: '/oauth/logout/success' },
    { ...asks, path: '/.well-known/openid-configuration' },
    { ...asks, path: '/.well-known/oauth-authorization-server' },
    ...['/authorize', '/token', '/userinfo'].map((path): OwnPath => ({ path, methods: [], at: ['routed'] })),
  ]
}
