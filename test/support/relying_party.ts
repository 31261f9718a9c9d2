import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { createRemoteJWKSet, jwtVerify, type JWTPayload, type JWTVerifyGetKey } from 'jose'
import { goodPassword } from './daemon.ts'
import type { Person } from './person.ts'
import { App, atCallback, callback, newPerson, type Provider } from './openid_stage.ts'

type Params = Record<string, string | undefined>
type Tokens = Awaited<ReturnType<App['token']>>['body']

interface Asked {
  readonly url: URL
  readonly state: string
  readonly nonce: string | undefined
}

interface Flow {
  readonly code: string
  readonly tokens: Tokens
  readonly idToken: JWTPayload
  readonly userinfo: Record<string, unknown>
}

/**
 * A relying party that is as strict as the conformance suite: a test can alter what it sends, and every response is checked.
 * Like the suite, it uses no PKCE except in tests of PKCE.
 */
export class RelyingParty extends App {
  readonly person: Person
  readonly #keys: JWTVerifyGetKey
  /** The paths of the provider's pages that the user saw, in order. */
  readonly seen: string[] = []

  constructor(issuer: string, client: App['client'], person: Person) {
    super(issuer, client)
    this.person = person
    this.#keys = createRemoteJWKSet(new URL(`${issuer}/.well-known/jwks.json`))
  }

  /** A client of its own, in a new browser. */
  static async add(
    { daemon, issuer }: Provider,
    more: Partial<Parameters<Provider['daemon']['hero']['clients']['add']>[0]> = {},
    person: Person = newPerson(),
  ): Promise<RelyingParty> {
    const added = await daemon.hero.clients.add({
      anyone: true,
      name: 'The suite',
      redirect_uris: [callback],
      pkce: false,
      ...more,
    })
    return new RelyingParty(issuer, added, person)
  }

  ask(params: Params = {}): Asked {
    const state = params.state ?? randomBytes(8).toString('base64url')
    const nonce = 'nonce' in params ? params.nonce : randomBytes(8).toString('base64url')
    return { url: this.authorizeUrl({ scope: 'openid', ...params, state, nonce }), state, nonce }
  }

  /** Follows an authorization request to its end: the user signs in, proves who they are and consents where asked. */
  async walk(url: URL, init?: Parameters<Person['open']>[1], login = 'ada') {
    const { person } = this
    let page = await person.open(url, init)
    for (;;) {
      const { pathname } = page.url
      if (atCallback(page.url) || !/^\/auth\/(login|prove|consent\/)/.test(pathname)) return page
      this.seen.push(pathname.replace(/(consent)\/.*/, '$1'))
      if (pathname === '/auth/login') page = await person.signIn(page, login, goodPassword)
      else if (pathname === '/auth/prove')
        page = await person.submit(page, '/auth/prove', { password: goodPassword })
      else page = await person.submit(page, '/auth/consent/', { answer: 'allow' })
    }
  }

  /** Checks that a response at the callback has only the parameters it may have (RFC 6749 section 4.1.2, RFC 9207). */
  #checkAnswer({ url, text }: { url: URL; text: string }, { state }: Pick<Asked, 'state'>, names: string[]) {
    assert.ok(atCallback(url), `stayed at ${url}: ${text}`)
    assert.equal(url.hash, '')
    assert.equal(url.searchParams.get('state'), state)
    assert.equal(url.searchParams.get('iss'), this.issuer)
    const known = new Set([...names, 'state', 'iss'])
    assert.deepEqual(
      [...url.searchParams.keys()].filter((name) => !known.has(name)),
      [],
    )
  }

  async authorize(asked: Asked, init?: Parameters<Person['open']>[1]): Promise<string> {
    const page = await this.walk(asked.url, init)
    assert.equal(page.url.searchParams.get('error'), null, String(page.url))
    this.#checkAnswer(page, asked, ['code'])
    const code = page.url.searchParams.get('code')!
    // RFC 6749 section 10.10: a code must be unguessable.
    assert.ok(Buffer.from(code, 'base64url').length * 8 >= 128 && new Set(code).size > 12)
    return code
  }

  /** The error returned to the application. */
  async refused(asked: Asked): Promise<string | null> {
    const page = await this.walk(asked.url)
    this.#checkAnswer(page, asked, ['error', 'error_description'])
    return page.url.searchParams.get('error')
  }

  exchange(code: string, more: Record<string, string> = {}) {
    return this.token({ grant_type: 'authorization_code', code, redirect_uri: callback, ...more })
  }

  /** A token response (RFC 6749 section 5.1) with an ID token for this request. */
  async checkTokens(answer: Awaited<ReturnType<App['token']>>, nonce?: string): Promise<JWTPayload> {
    const { status, headers, body } = answer
    assert.equal(status, 200, JSON.stringify(body))
    assert.match(headers.get('content-type')!, /^application\/json/)
    assert.equal(headers.get('cache-control'), 'no-store')
    assert.match(String(body.token_type), /^bearer$/i)
    assert.match(body.access_token, /^[\w.~+/-]{20,}=*$/)
    assert.ok(Number(body.expires_in) > 0)
    return this.checkIdToken(body.id_token, nonce, body.access_token)
  }

  /** OpenID Connect Core section 3.1.3.7. */
  async checkIdToken(token: string, nonce?: string, accessToken?: string): Promise<JWTPayload> {
    const { payload, protectedHeader } = await jwtVerify(token, this.#keys, {
      issuer: this.issuer,
      audience: this.client.client,
      algorithms: ['RS256'],
      requiredClaims: ['sub', 'exp', 'iat'],
      maxTokenAge: 300,
    })
    assert.ok(protectedHeader.kid)
    assert.match(payload.sub!, /^[\x20-\x7e]{1,255}$/)
    assert.equal(payload.nonce, nonce)
    assert.ok(payload.azp === undefined || payload.azp === this.client.client)
    if (payload.at_hash !== undefined && accessToken !== undefined) {
      const half = createHash('sha256').update(accessToken).digest().subarray(0, 16)
      assert.equal(payload.at_hash, half.toString('base64url'))
    }
    return payload
  }

  async checkUserinfo(answer: Response, sub: string | undefined): Promise<Record<string, unknown>> {
    assert.equal(answer.status, 200)
    assert.match(answer.headers.get('content-type')!, /^application\/json/)
    const about = (await answer.json()) as Record<string, unknown>
    assert.equal(about.sub, sub)
    return about
  }

  /** The whole flow, with each step checked. */
  async flow(
    params: Params = {},
    exchanged: Record<string, string> = {},
    init?: Parameters<Person['open']>[1],
  ): Promise<Flow> {
    const asked = this.ask(params)
    const code = await this.authorize(asked, init)
    const answer = await this.exchange(code, exchanged)
    const idToken = await this.checkTokens(answer, asked.nonce)
    const userinfo = await this.checkUserinfo(await this.userinfo(answer.body.access_token), idToken.sub)
    return { code, tokens: answer.body, idToken, userinfo }
  }
}
