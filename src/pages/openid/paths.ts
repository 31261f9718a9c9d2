import type { OpenId } from '../../oidc/openid_provider.ts'
import type { Registrations } from '../../oidc/registration.ts'
import type { OwnPath, OwnPathHandler } from '../../wire/own_path.ts'
import type { HomeParts } from '../handover/at_home.ts'
import { PageRequest } from '../page_request.ts'
import type { PageRequestParts } from '../page_request_parts.ts'
import type { FederationParts } from '../sign_in/provider_parts.ts'
import { confirmSignOut } from './end_session.ts'
import { consent, postConsent } from './consent.ts'
import * as openid from './openid.ts'
import { webfingerPaths, type WebfingerParts } from './webfinger.ts'

export interface OpenIdParts {
  readonly pageParts: PageRequestParts
  readonly openId: OpenId
  readonly registrations: Registrations
  readonly webfinger: WebfingerParts
  readonly federation: Pick<FederationParts, 'logouts'>
  readonly handover: HomeParts
}

/** The endpoints of an OpenID provider, and its pages for people. */
export const openIdPaths = ({
  pageParts,
  openId,
  registrations,
  webfinger,
  federation,
  handover,
}: OpenIdParts): readonly OwnPath[] => {
  const step =
    (show: typeof openid.engine): OwnPathHandler =>
    (request, response, asked) =>
      show(openId, new PageRequest(pageParts, request, response, asked), request, response, asked)
  const engine = step(openid.engine)
  const register: OwnPathHandler = (request, response, asked) => {
    const page = new PageRequest(pageParts, request, response, asked)
    return openid.register(registrations, page, request, response, asked)
  }
  const at = ['home'] as const
  /** Endpoints that clients read; OPTIONS is the CORS preflight of scripts from other origins. */
  const asks = { methods: ['GET', 'OPTIONS'], at, handler: engine }
  const takes = { methods: ['POST', 'OPTIONS'], takes: 'form', at, handler: engine } as const
  const options = { methods: ['OPTIONS'], at, handler: engine }
  const post = { methods: ['POST'], takes: 'form', at } as const
  return [
    { path: '/authorize', methods: ['GET', 'POST'], takes: 'form', at, handler: step(openid.authorize) },
    { ...asks, path: '/authorize/{id}' },
    { path: '/auth/consent/{id}', methods: ['GET'], at, handler: step(consent) },
    { ...post, path: '/auth/consent/{id}', handler: step(postConsent(handover)) },
    { ...post, path: '/token', handler: step(openid.plainly('token')) },
    { ...options, path: '/token' },
    { path: '/userinfo', methods: ['GET', 'OPTIONS', 'POST'], takes: 'form', at, handler: engine },
    { ...post, path: '/oauth/introspect', handler: step(openid.introspect) },
    { ...options, path: '/oauth/introspect' },
    { ...takes, path: '/oauth/revoke' },
    { ...post, path: '/oauth/par', handler: step(openid.push) },
    { ...options, path: '/oauth/par' },
    { ...post, path: '/oauth/device', handler: step(openid.device) },
    { ...options, path: '/oauth/device' },
    { path: '/device', methods: ['GET', 'POST'], takes: 'form', at, handler: engine },
    { ...asks, path: '/device/{id}' },
    { path: '/oauth/register', methods: ['POST'], takes: 'json', at, handler: register },
    { ...asks, path: '/oauth/logout' },
    { ...post, path: '/oauth/logout', handler: step(openid.asLink) },
    { ...takes, path: '/oauth/logout/confirm', handler: step(confirmSignOut(federation, handover)) },
    { ...asks, path: '/oauth/logout/success' },
    { ...asks, path: '/.well-known/openid-configuration' },
    { ...asks, path: '/.well-known/oauth-authorization-server' },
    ...webfingerPaths(webfinger),
  ]
}
