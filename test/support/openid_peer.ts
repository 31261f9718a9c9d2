import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Provider, type Configuration } from 'oidc-provider'

export interface Account {
  readonly email?: string
  readonly email_verified?: boolean
  readonly name?: string
  readonly preferred_username?: string
  readonly groups?: readonly string[]
  readonly picture?: string
}

export interface OidcPeer extends AsyncDisposable {
  readonly issuer: string
  readonly client: { readonly client: string; readonly client_secret: string }
  /** Its users by subject. Entering a subject signs that user in. */
  readonly accounts: Map<string, Account>
  readonly provider: Provider
  close(): Promise<void>
}

const bodyOf = async (request: IncomingMessage): Promise<URLSearchParams> => {
  let text = ''
  for await (const part of request) text += String(part)
  return new URLSearchParams(text)
}

export const closeServer = (server: Pick<Server, 'closeAllConnections' | 'close'>): Promise<void> => {
  server.closeAllConnections()
  return new Promise((resolve) => server.close(() => resolve()))
}

/** An OpenID provider from an independent library, with its own users and a page where they enter their subject. */
export const startOidcPeer = async (
  relying: string,
  more: Partial<Configuration> = {},
): Promise<OidcPeer> => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const issuer = `http://localhost:${(server.address() as AddressInfo).port}`
  const accounts = new Map<string, Account>()
  const client = { client: 'hero', client_secret: `secret of the peer ${randomUUID()}` }
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: client.client,
        client_secret: client.client_secret,
        redirect_uris: [`${relying}/oauth/callback/peer`],
        post_logout_redirect_uris: [`${relying}/auth/login`],
        backchannel_logout_uri: `${relying}/oauth/backchannel_logout`,
        backchannel_logout_session_required: true,
        grant_types: ['authorization_code', 'refresh_token'],
      },
    ],
    claims: {
      openid: ['sub', 'sid'],
      email: ['email', 'email_verified'],
      profile: ['name', 'preferred_username', 'picture', 'given_name', 'locale', 'zoneinfo', 'website'],
      groups: ['groups'],
    },
    scopes: ['openid', 'offline_access', 'email', 'profile', 'groups'],
    cookies: { keys: ['only for tests'] },
    jwks: {
      keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256', kid: 'first' }] as never,
    },
    pkce: { required: () => true },
    features: {
      devInteractions: { enabled: false },
      backchannelLogout: { enabled: true },
      rpInitiatedLogout: { enabled: true },
    },
    // The library refuses loopback addresses by default.
    fetch: (url, { dispatcher: _, ...options }: RequestInit & { dispatcher?: unknown }) =>
      fetch(url, options),
    findAccount: (_, sub) => {
      const account = accounts.get(sub)
      return account && { accountId: sub, claims: async () => ({ sub, ...account }) as never }
    },
    interactions: { url: (_, { uid }) => `/who/${uid}` },
    loadExistingGrant: async (ctx) => {
      const { oidc } = ctx
      const grant = new oidc.provider.Grant({
        clientId: oidc.client!.clientId,
        accountId: oidc.session!.accountId!,
      })
      grant.addOIDCScope('openid email profile groups offline_access')
      await grant.save()
      return grant
    },
    ...more,
  } as Configuration)
  const answer = provider.callback()
  server.on('request', async (request, response) => {
    if (!request.url!.startsWith('/who/')) return answer(request, response)
    if (request.method === 'GET') {
      response.setHeader('content-type', 'text/html')
      return response.end(
        `<title>The peer</title><form method="post" action="${request.url}"><label>Who are you? <input name="sub" value=""></label><button>It is me</button></form><form method="post" action="${request.url}/no"><button>Cancel</button></form>`,
      )
    }
    const sub = (await bodyOf(request)).get('sub') ?? ''
    const result = request.url!.endsWith('/no')
      ? { error: 'access_denied' }
      : accounts.has(sub)
        ? { login: { accountId: sub } }
        : { error: 'access_denied' }
    request.url = request.url!.replace(/\/no$/, '')
    await provider.interactionFinished(request, response, result)
  })
  const close = () => closeServer(server)
  return { issuer, client, accounts, provider, close, [Symbol.asyncDispose]: close }
}
