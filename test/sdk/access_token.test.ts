import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { createLocalJWKSet, importJWK, SignJWT, type JWK } from 'jose'
import { hasScope, Unauthenticated, verifyToken } from '../../sdk/index.ts'
import { verifyJws } from '../../sdk/jws.ts'
import { root } from '../support/daemon_process.ts'
import {
  App,
  callback,
  newPerson,
  payloadOf,
  pkce,
  startProvider,
  type Provider,
} from '../support/openid_stage.ts'

suite('verifyToken()', () => {
  let stage: Provider
  let program: App
  let check: ReturnType<typeof verifyToken>
  before(async () => {
    stage = await startProvider()
    const { hero } = stage.daemon
    program = new App(
      stage.issuer,
      await hero.clients.add({
        name: 'billing',
        client: 'billing',
        scopes: ['read', 'write'],
        claims: ['billing.read'],
      }),
    )
    check = verifyToken(hero, { audience: stage.issuer, issuer: stage.issuer })
  })
  after(() => stage.daemon.close())
  const own = async () => (await program.token({ grant_type: 'client_credentials' })).body.access_token

  test('it returns the client or person of the token', async () => {
    const token = await check(await own())
    assert.deepEqual([token.client, token.user_id, token.claims], ['billing', undefined, ['billing.read']])
    assert.deepEqual(
      [hasScope(token, 'read'), hasScope(token, 'write'), hasScope(token, 'admin')],
      [true, true, false],
    )
    const app = new App(
      stage.issuer,
      await stage.daemon.hero.clients.add({
        anyone: true,
        name: 'app',
        redirect_uris: [callback],
        first_party: true,
        scopes: ['openid', 'read'],
      }),
    )
    const { code_verifier, challenge } = pkce()
    const back = await app.signIn(newPerson(), 'grace', {
      ...challenge,
      scope: 'openid read',
      resource: stage.issuer,
    })
    const { body } = await app.redeem(back.get('code')!, code_verifier)
    // With the openid scope the token is for userinfo, unless the token request names the resource again.
    await assert.rejects(check(body.access_token), Unauthenticated)
    const { body: named } = await app.token({
      grant_type: 'refresh_token',
      refresh_token: body.refresh_token ?? '',
      resource: stage.issuer,
    })
    if (named.access_token) assert.equal((await check(named.access_token)).username, 'grace')
    await assert.rejects(check(body.id_token), Unauthenticated)
  })

  test('any other text is refused', async () => {
    const token = await own()
    const [head, body, signature] = token.split('.') as [string, string, string]
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const header = payloadOf(token, 0)
    const { keys } = await stage.daemon.hero.keys.jwks()
    const hs256 = `${part({ ...header, alg: 'HS256' })}.${body}`
    const refused = [
      undefined,
      '',
      'x',
      `${token} `,
      `${token}=`,
      `${head}.${body}=.${signature}`,
      `${head}.${body}.`,
      `${head}\n.${body}.${signature}`,
      `${part({ ...header, alg: 'none' })}.${body}.`,
      `${hs256}.${createHmac('sha256', Buffer.from(keys[0]!.x!, 'base64url')).update(hs256).digest('base64url')}`,
      `${head}.${part({ ...payloadOf(token), scope: 'admin' })}.${signature}`,
    ]
    for (const wrong of refused) await assert.rejects(check(wrong), Unauthenticated, String(wrong))
    for (const options of [
      { audience: 'https://elsewhere.test' },
      { audience: stage.issuer, issuer: 'https://evil.test' },
    ])
      await assert.rejects(verifyToken(stage.daemon.hero, options)(token), Unauthenticated)
    for (const audience of ['', undefined as never])
      assert.throws(() => verifyToken(stage.daemon.hero, { audience }), TypeError)
    await check(token)
  })

  test('a token signed with our key is refused unless it is an access token for this audience', async () => {
    const { privateKey, publicKey } = (await crypto.subtle.generateKey('Ed25519', true, [
      'sign',
      'verify',
    ])) as never as {
      privateKey: never
      publicKey: never
    }
    const jwk = { ...(await crypto.subtle.exportKey('jwk', publicKey)), kid: 'k', alg: 'EdDSA', use: 'sig' }
    const hero = { keys: { jwks: async () => ({ keys: [jwk] }) } } as never
    const verify = verifyToken(hero, { audience: 'a', issuer: 'i' })
    const at = Math.floor(Date.now() / 1000)
    const right = { iss: 'i', aud: 'a', sub: 's', client_id: 's', jti: 'j', iat: at, exp: at + 60 }
    const signed = (claims: object, header: object = {}) =>
      new SignJWT(claims as never)
        .setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt', kid: 'k', ...header } as never)
        .sign(privateKey)
    assert.equal((await verify(await signed(right))).client, 's')
    const wrong = [
      { exp: undefined },
      { exp: at - 60 },
      { exp: at + 7200 },
      { iat: undefined },
      { iat: at + 120 },
      { nbf: at + 120 },
      { nbf: 'soon' },
      { aud: 'b' },
      { aud: ['a', 'b'] },
      { aud: undefined },
      { iss: 'j' },
      { iss: undefined },
      { sub: undefined },
    ]
    for (const change of wrong)
      await assert.rejects(
        verify(await signed({ ...right, ...change })),
        Unauthenticated,
        JSON.stringify(change),
      )
    const headers = [{ typ: 'JWT' }, { typ: 'hero-assertion+jwt' }, { typ: undefined }, { kid: 'other' }]
    for (const header of headers)
      await assert.rejects(verify(await signed(right, header)), Unauthenticated, JSON.stringify(header))
    const text = `${Buffer.from(JSON.stringify({ alg: 'EdDSA', typ: 'at+jwt', kid: 'k', crit: ['x'], x: 1 })).toString('base64url')}.${Buffer.from(JSON.stringify(right)).toString('base64url')}`
    const bytes = await crypto.subtle.sign('Ed25519', privateKey, Buffer.from(text))
    await assert.rejects(verify(`${text}.${Buffer.from(bytes).toString('base64url')}`), Unauthenticated)
    // Keys in the token itself are ignored.
    for (const header of [{ jwk }, { jku: 'https://evil.test/keys' }, { x5u: 'https://evil.test/x' }])
      assert.equal((await verify(await signed(right, header))).client, 's')
  })
})

const corpus = join(root, 'test', 'corpora', 'jws', 'json_web_signature_test.json')

test('401 Wycheproof signature vectors in our verify function', async () => {
  interface Vector {
    tcId: number
    comment: string
    jws: unknown
    result: 'valid' | 'invalid'
  }
  const { testGroups } = JSON.parse(readFileSync(corpus, 'utf8')) as {
    testGroups: { public?: JWK; private?: JWK; tests: Vector[] }[]
  }
  // A few of its keys name no algorithm; ours always do.
  const ofKind: Record<string, RegExp> = { RSA: /^[RP]S/, EC: /^ES/, oct: /^HS/ }
  const differs: string[] = []
  let accepted = 0
  for (const group of testGroups) {
    const jwk = (group.public ?? group.private)!
    for (const { tcId, comment, jws, result } of group.tests) {
      const valid = await (async () => {
        if (typeof jws !== 'string') return false
        // The key determines the algorithm, and not the header.
        const { alg } = JSON.parse(Buffer.from(jws.split('.')[0]!, 'base64url').toString()) as {
          alg: string
        }
        const fits = jwk.alg === undefined && ofKind[jwk.kty!]!.test(alg) ? [alg] : [jwk.alg!]
        const key = jwk.kty === 'oct' ? await importJWK(jwk, fits[0]) : createLocalJWKSet({ keys: [jwk] })
        await verifyJws(jws, key, fits)
        return true
      })().catch(() => false)
      if (valid) accepted++
      if (valid !== (result === 'valid')) differs.push(`${result} ${tcId} ${comment}`)
    }
  }
  assert.ok(accepted > 30)
  assert.deepEqual(differs, [
    // Their keys name another algorithm than the one used.
    'valid 346 Figure20',
    'valid 347 Figure27',
    'valid 350 Figure20',
    'valid 351 Figure27',
    // The file lacks the padding that these two are about; the signature over its content is valid.
    'invalid 367 invalidBase64Padding',
    'invalid 370 invalidBase64PaddingInPayload',
    // Characters outside the alphabet would be another encoding of the same token.
    'valid 372 InvalidCharacterInsertedInHeader',
    'valid 373 InvalidCharacterInsertedInPayload',
  ])
})
