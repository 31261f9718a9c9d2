import assert from 'node:assert/strict'
import { generateKeyPairSync, randomUUID, sign, type KeyObject } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { refused } from '../support/refused.ts'
import { post, startProvider, type Provider } from '../support/openid_stage.ts'

const rsa = (modulusLength = 2048) => generateKeyPairSync('rsa', { modulusLength })
const ec = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve })
const jwkOf = ({ publicKey }: { publicKey: KeyObject }) => ({ ...publicKey.export({ format: 'jwk' }) })
const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')

suite('clients that authenticate with a key (RFC 7523)', () => {
  let stage: Provider
  before(async () => (stage = await startProvider()))
  after(() => stage.daemon.close())

  test('an unusable key is refused when the client is added', async () => {
    const { hero } = stage.daemon
    const add = (jwk: object) => hero.clients.add({ name: 'keyed', jwks: { keys: [jwk as never] } })
    const good = jwkOf(rsa())
    const curve = jwkOf(ec('P-256'))
    const wrong = {
      'no parameters': { kty: 'RSA' },
      'a modulus of 24 bits': { kty: 'RSA', n: 'AQAB', e: 'AQAB' },
      'an RSA key that is too short': jwkOf(rsa(1024)),
      'a point that is not on the curve': { ...curve, x: 'AA' },
      'another curve': jwkOf(ec('P-384')),
      'another algorithm': jwkOf(generateKeyPairSync('ed25519')),
      'a key for another algorithm': { ...good, alg: 'PS256' },
      'a key for encryption': { ...good, use: 'enc' },
      'a kid that is not a string': { ...good, kid: 5 },
      'a private parameter': { ...good, p: 'AQAB' },
    }
    for (const [what, jwk] of Object.entries(wrong))
      await refused(add(jwk), 'invalid_params', 'jwks.keys.0').catch((error: Error) =>
        assert.fail(`${what}: ${error}`),
      )
    for (const jwk of [good, { ...curve, use: 'sig', alg: 'ES256', kid: 'k' }]) await add(jwk)
  })

  test('an assertion must be recent and expire within an hour, because its jti is kept until then', async () => {
    const pair = rsa()
    const { client } = await stage.daemon.hero.clients.add({
      name: 'keyed',
      jwks: { keys: [jwkOf(pair) as never] },
    })
    const at = Math.floor(Date.now() / 1000)
    const use = async (exp: number, iat?: number) => {
      const about = { iss: client, sub: client, aud: stage.issuer, jti: randomUUID(), exp, iat }
      const text = `${encode({ alg: 'RS256' })}.${encode(about)}`
      const { status } = await post(`${stage.issuer}/token`, {
        grant_type: 'client_credentials',
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: `${text}.${sign('sha256', Buffer.from(text), pair.privateKey).toString('base64url')}`,
      })
      return status
    }
    assert.deepEqual(
      [await use(at + 60), await use(at + 3500, at), await use(at + 60, at + 30)],
      [200, 200, 200],
    )
    assert.deepEqual(
      [await use(at + 5000), await use(at + 1e9, at), await use(at + 200, at + 100)],
      [401, 401, 401],
    )
  })
})
