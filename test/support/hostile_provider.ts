import { generateKeyPairSync, randomUUID, sign, type KeyObject } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { closeServer } from './openid_peer.ts'

type Json = Record<string, unknown>
export type Endpoint = 'discovery' | 'authorize' | 'token' | 'userinfo' | 'jwks' | 'emails'

export interface Seen {
  readonly endpoint: Endpoint
  readonly authorization: string
  readonly params: URLSearchParams
}

interface SigningKey {
  readonly kid: string
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}

/** How the provider misbehaves. Otherwise it behaves correctly. */
export interface Ways {
  claims?: (claims: Json) => Json
  header?: (header: Json) => Json
  /** Changes the finished ID token. */
  idToken?: (token: string) => string
  jwks?: (keys: Json[]) => unknown
  discovery?: (metadata: Json) => unknown
  userinfo?: (claims: Json) => unknown
  token?: (response: Json) => unknown
  /** Accepts a code more than once. */
  reuse?: true
  /** Changes the parameters of the callback. */
  back?: (answer: URLSearchParams) => void
  /** Answers instead of the endpoint. Returns whether it did. */
  instead?: (endpoint: Endpoint, request: IncomingMessage, response: ServerResponse) => boolean
}

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
const now = () => Math.floor(Date.now() / 1000)

export const newSigningKey = (kid: string): SigningKey => ({
  kid,
  ...generateKeyPairSync('rsa', { modulusLength: 2048 }),
})

/** A minimal provider that signs everybody in at once and breaks exactly the rules that a test names. */
export const startHostileProvider = async (kind: 'oidc' | 'oauth2' = 'oidc') => {
  const codes = new Map<string, { nonce: string | null; challenge: string | null }>()
  const seen: Seen[] = []
  const state = {
    ways: {} as Ways,
    keys: [newSigningKey('one')],
    /** The claims of the next person who signs in. */
    person: {
      sub: '1',
      email: 'grace@example.org',
      email_verified: true,
      preferred_username: 'grace',
    } as Json,
    emails: [] as unknown,
  }
  const server = createServer((request, response) => void serve(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const issuer = `http://localhost:${(server.address() as AddressInfo).port}`

  const jwt = (claims: Json): string => {
    const key = state.keys[0]!
    const header = { alg: 'RS256', kid: key.kid, typ: 'JWT', ...(kind === 'oidc' && {}) }
    const input = `${encode(state.ways.header?.(header) ?? header)}.${encode(claims)}`
    return `${input}.${sign('sha256', Buffer.from(input), key.privateKey).toString('base64url')}`
  }
  const idToken = (nonce: string | null): string => {
    const { sub, sid } = state.person
    const claims: Json = {
      iss: issuer,
      sub,
      aud: 'hero',
      iat: now(),
      exp: now() + 300,
      ...(nonce !== null && { nonce }),
      ...(sid !== undefined && { sid }),
    }
    const token = jwt(state.ways.claims?.(claims) ?? claims)
    return state.ways.idToken?.(token) ?? token
  }
  const answers: Record<Endpoint, (params: URLSearchParams, request: IncomingMessage) => unknown> = {
    discovery: () => {
      const metadata = {
        issuer,
        authorization_endpoint: `${issuer}/authorize`,
        token_endpoint: `${issuer}/token`,
        userinfo_endpoint: `${issuer}/userinfo`,
        jwks_uri: `${issuer}/jwks`,
        response_types_supported: ['code'],
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: ['RS256'],
      }
      return state.ways.discovery ? state.ways.discovery(metadata) : metadata
    },
    authorize: () => undefined,
    token: (params) => {
      const renewed = params.get('grant_type') === 'refresh_token'
      const code = codes.get(params.get('code') ?? '')
      if (!state.ways.reuse) codes.delete(params.get('code') ?? '')
      if (!code && !renewed) return { status: 400, error: 'invalid_grant' }
      const granted: Json = {
        access_token: `at-${randomUUID()}`,
        token_type: 'Bearer',
        expires_in: 3600,
        refresh_token: `rt-${randomUUID()}`,
        ...(kind === 'oidc' && { id_token: idToken(renewed ? null : code!.nonce) }),
      }
      return state.ways.token ? state.ways.token(granted) : granted
    },
    userinfo: () => (state.ways.userinfo ? state.ways.userinfo({ ...state.person }) : state.person),
    jwks: () => {
      const keys = state.keys.map(({ kid, publicKey }) => ({
        ...publicKey.export({ format: 'jwk' }),
        kid,
        use: 'sig',
        alg: 'RS256',
      }))
      return state.ways.jwks ? state.ways.jwks(keys) : { keys }
    },
    emails: () => state.emails,
  }

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url!, issuer)
    const isDiscovery = url.pathname.endsWith('/.well-known/openid-configuration')
    const other = url.pathname === '/user/emails' ? 'emails' : (url.pathname.slice(1) as Endpoint)
    const endpoint = isDiscovery ? 'discovery' : other
    let body = ''
    for await (const part of request) body += String(part)
    const params = request.method === 'POST' ? new URLSearchParams(body) : url.searchParams
    seen.push({ endpoint, authorization: request.headers.authorization ?? '', params })
    if (state.ways.instead?.(endpoint, request, response)) return
    if (endpoint === 'authorize') {
      const code = randomUUID()
      codes.set(code, { nonce: params.get('nonce'), challenge: params.get('code_challenge') })
      const answer = new URLSearchParams({ code, state: params.get('state') ?? '' })
      state.ways.back?.(answer)
      response.writeHead(302, { location: `${params.get('redirect_uri')}?${answer}` }).end()
      return
    }
    const answer = answers[endpoint]?.(params, request)
    const { status = 200, ...rest } = (answer ?? { status: 404 }) as { status?: number }
    const json = typeof answer === 'string' ? answer : JSON.stringify(Array.isArray(answer) ? answer : rest)
    response.writeHead(status, { 'content-type': 'application/json' }).end(json)
  }
  const close = () => closeServer(server)
  return {
    issuer,
    state,
    seen,
    server,
    jwt,
    /** Returns how many requests an endpoint received. */
    asked: (endpoint: Endpoint) => seen.filter((one) => one.endpoint === endpoint).length,
    /** Replaces the ways in which the provider misbehaves. */
    misbehave: (ways: Ways) => {
      state.ways = ways
      seen.length = 0
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}
export type HostileProvider = Awaited<ReturnType<typeof startHostileProvider>>
