import assert from 'node:assert/strict'
import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createHmac, createPublicKey, generateKeyPairSync, sign, type JsonWebKey } from 'node:crypto'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { after, before, suite, test } from 'node:test'
import { App, callback, newPerson, payloadOf, startProvider, type Provider } from '../support/openid_stage.ts'
import { ask } from '../support/http.ts'
import { goodPassword } from '../support/daemon.ts'
import { kill, root } from '../support/daemon_process.ts'
import { python, pythonMissing } from './python.ts'
import { startUpstream, valuesOf, type Upstream } from '../support/upstream.ts'

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')

suite('verify_token.py', { skip: pythonMissing('authlib') }, () => {
  let stage: Provider
  let upstream: Upstream
  let program: App
  const running: ChildProcessByStdio<Writable, Readable, null>[] = []
  before(async () => {
    stage = await startProvider()
    upstream = await startUpstream()
    const { hero } = stage.daemon
    const added = await hero.clients.add({
      name: 'Billing',
      client: 'billing',
      scopes: ['read', 'write'],
      claims: ['billing.invoices.read'],
    })
    program = new App(stage.issuer, added)
  })
  after(async () => {
    for (const child of running) await kill(child, 'SIGTERM')
    await upstream.close()
    await stage.daemon.close()
  })

  /** Starts the example, which prints one line for each token. */
  const start = (audience = stage.issuer, ...scope: string[]) => startFor(stage.issuer, audience, ...scope)
  const startFor = (...args: string[]) => {
    const child = spawn(python, [join(root, 'docs/examples/verify_token.py'), ...args], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    running.push(child)
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    return async (token: string): Promise<string> => {
      child.stdin.write(`${token}\n`)
      return (await lines.next()).value as string
    }
  }
  const own = async (scope = 'read write', more = {}) =>
    (await program.token({ grant_type: 'client_credentials', scope, ...more })).body.access_token

  test('accepts tokens of programs, and prints their client, claims and scope', async () => {
    const verify = start()
    const claims = JSON.parse(await verify(await own())) as Record<string, unknown>
    assert.deepEqual(
      [claims.client_id, claims.sub, claims.claims, claims.scope],
      ['billing', 'billing', ['billing.invoices.read'], 'read write'],
    )
    const mayWrite = start(stage.issuer, 'write')
    assert.match(await mayWrite(await own()), /^\{/)
    assert.match(await mayWrite(await own('read')), /^refused: its scope/)
    const mayRead = start(stage.issuer, 'read')
    assert.match(await mayRead(await own('write')), /^\{/)
  })

  test('refuses everything else', async (t) => {
    const verify = start()
    const token = await own()
    const [head, body, signature] = token.split('.') as [string, string, string]
    const { keys } = await stage.daemon.hero.keys.jwks()
    const key = keys.find(({ kid }) => kid === payloadOf(token, 0).kid)!
    const { privateKey, publicKey } = generateKeyPairSync('ed25519')
    const signed = (header: object, claims: object) => {
      const text = `${part({ ...payloadOf(token, 0), ...header })}.${part({ ...payloadOf(token), ...claims })}`
      return `${text}.${sign(null, Buffer.from(text), privateKey).toString('base64url')}`
    }
    const hs256 = (secret: string | Buffer) => {
      const text = `${part({ ...payloadOf(token, 0), alg: 'HS256' })}.${body}`
      return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`
    }
    const pem = createPublicKey({ key: { ...key } as JsonWebKey, format: 'jwk' }).export({
      type: 'spki',
      format: 'pem',
    })
    const app = new App(
      stage.issuer,
      await stage.daemon.hero.clients.add({
        anyone: true,
        name: 'app',
        redirect_uris: [callback],
        first_party: true,
      }),
    )
    const { body: ofAda } = await app.tokens(newPerson(), 'ada')
    // Signed with the same key and for the same audience, but of another kind.
    await stage.daemon.hero.proxy.routes.add({
      domain: 'wiki.localhost',
      target: upstream.target,
      auth_mode: 'bearer',
      audience: stage.issuer,
    })
    const { access_token } = await stage.daemon.hero.auth.login({ login: 'ada', password: goodPassword })
    const headers = ['Authorization', `Bearer ${access_token}`]
    const seen = await ask(stage.daemon, 'wiki.localhost', '/', { headers })
    const { rawHeaders } = JSON.parse(seen.body) as { rawHeaders: string[] }
    const [assertion] = valuesOf(rawHeaders, 'X-Hero-Assertion')
    assert.equal(payloadOf(assertion!, 0).kid, key.kid)
    const refused: Record<string, string> = {
      nothing: '',
      word: 'x',
      'not ours': signed({}, {}),
      'its own key': signed({ jwk: publicKey.export({ format: 'jwk' }) }, {}),
      'unknown key': signed({ kid: 'other' }, {}),
      'no key': signed({ kid: undefined }, {}),
      'a list for a key': signed({ kid: ['x'] }, {}),
      'a changed scope': `${head}.${part({ ...payloadOf(token), scope: 'admin' })}.${signature}`,
      none: `${part({ ...payloadOf(token, 0), alg: 'none' })}.${body}.`,
      'none, signed': `${part({ ...payloadOf(token, 0), alg: 'none' })}.${body}.${signature}`,
      'HS256 by the public key': hs256(pem as string),
      'HS256 by its bytes': hs256(Buffer.from(key.x!, 'base64url')),
      'HS256 by its JWK': hs256(JSON.stringify(key)),
      padded: `${token}=`,
      spaced: `${token} `,
      'ID token': ofAda.id_token,
      opaque: ofAda.access_token,
      assertion: assertion!,
      'other audience': await own('read', { resource: 'https://wiki.localhost/' }),
    }
    for (const [name, wrong] of Object.entries(refused)) assert.match(await verify(wrong), /^refused: /, name)
    const now = Date.now()
    for (const hours of [-2, 2]) {
      t.mock.timers.enable({ apis: ['Date'], now: now + hours * 3600_000 })
      const wrong = await own()
      t.mock.timers.reset()
      assert.match(await verify(wrong), /^refused: /, `${hours} hours`)
    }
    assert.match(await start('https://elsewhere.test')(token), /^refused: /)
    assert.match(await verify(token), /^\{/)
  })

  test('refuses everything signed by a trusted key that is not an access token for its audience', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519')
    const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'k', alg: 'EdDSA', use: 'sig' }
    const issuing = createServer((_, response) => void response.end(JSON.stringify({ keys: [jwk] })))
    await once(issuing.listen(0, '127.0.0.1'), 'listening')
    const iss = `http://127.0.0.1:${(issuing.address() as AddressInfo).port}`
    const verify = startFor(iss, 'a')
    const at = Math.floor(Date.now() / 1000)
    const right = { iss, aud: 'a', sub: 's', client_id: 's', jti: 'j', iat: at, exp: at + 60 }
    const signed = (claims: object, header: object = {}) => {
      const text = `${part({ alg: 'EdDSA', typ: 'at+jwt', kid: 'k', ...header })}.${part({ ...right, ...claims })}`
      return `${text}.${sign(null, Buffer.from(text), privateKey).toString('base64url')}`
    }
    try {
      assert.match(await verify(signed({})), /^\{/)
      const headers = [
        { typ: 'JWT' },
        { typ: 'hero-assertion+jwt' },
        { typ: undefined },
        { crit: ['x'], x: 1 },
      ]
      for (const header of headers)
        assert.match(await verify(signed({}, header)), /^refused: /, JSON.stringify(header))
      const claims = [
        ...['iss', 'aud', 'sub', 'client_id', 'iat', 'exp'].map((name) => ({ [name]: undefined })),
        { exp: at - 60 },
        { exp: 'later' },
        { iat: at + 120 },
        { nbf: at + 120 },
        { aud: 'b' },
        { aud: [] },
        { iss: 'https://evil.test' },
      ]
      for (const change of claims)
        assert.match(await verify(signed(change)), /^refused: /, JSON.stringify(change))
    } finally {
      issuing.close()
      issuing.closeAllConnections()
    }
  })

  test('fetches the key set once, however many tokens with unknown keys come', async () => {
    const asked = () => stage.daemon.logged.filter(({ path }) => path === '/.well-known/jwks.json').length
    const verify = start()
    const before = asked()
    const token = await own()
    assert.match(await verify(token), /^\{/)
    for (let i = 0; i < 50; i++) {
      const wrong = `${part({ alg: 'EdDSA', typ: 'at+jwt', kid: `stranger${i}` })}.${token.split('.').slice(1).join('.')}`
      assert.match(await verify(wrong), /^refused: signed by nobody/)
    }
    assert.equal(asked() - before, 1)
  })
})
