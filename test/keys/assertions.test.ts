import assert from 'node:assert/strict'
import { createHmac, generateKeyPairSync, sign } from 'node:crypto'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { HeroProxy, Unauthenticated, verifyAssertion } from '../../sdk/index.ts'
import { Assertions } from '../../src/keys/assertions.ts'
import { Keys } from '../../src/keys/keys.ts'
import type { Proof } from '../../src/contract/principal.ts'
import { createLog } from '../../src/log/log.ts'
import { Seal } from '../../src/secrets/seal.ts'
import { goodPassword, startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { ask, signIn } from '../support/http.ts'
import { byHand } from '../support/people.ts'
import { startUpstream, valuesOf, type Upstream } from '../support/upstream.ts'
import { openDatabase } from '../../src/storage/open_database.ts'

const audience = 'https://wiki.example.org'
const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
const open = (token: string, i: number) =>
  JSON.parse(Buffer.from(token.split('.')[i]!, 'base64url').toString()) as Record<string, unknown>

describe('X-Hero-Assertion', () => {
  let daemon: TestDaemon
  let upstream: Upstream
  let cookie: string

  const received = async (host = 'wiki.localhost', headers: string[] = ['Cookie', cookie]) => {
    const { body } = await ask(daemon, host, '/', { headers })
    return valuesOf((JSON.parse(body) as { rawHeaders: string[] }).rawHeaders, 'X-Hero-Assertion')
  }
  const verify = (token: string, options: { audience?: string; issuer?: string } = {}) =>
    verifyAssertion(daemon.hero, { audience, ...options })({ 'x-hero-assertion': token })

  before(async () => {
    daemon = await startTestDaemon()
    upstream = await startUpstream()
    const { hero } = daemon
    await hero.users.add({ username: 'ada', password: goodPassword, email: 'ada@example.org', context: 3 })
    const target = upstream.target
    await hero.proxy.routes.add({ domain: 'wiki.localhost', target, auth_mode: 'optional', audience })
    await hero.proxy.routes.add({
      domain: 'blog.localhost',
      target,
      auth_mode: 'optional',
      audience: 'https://blog.example.org',
    })
    await hero.proxy.routes.add({ domain: 'plain.localhost', target, auth_mode: 'optional' })
    cookie = await signIn(daemon, 'wiki.localhost', 'ada', goodPassword)
  })
  after(async () => {
    await daemon.close()
    await upstream.close()
  })

  test('states the same identity as the headers, signed', async () => {
    const [token] = await received()
    const [child] = await byHand(daemon, ({ query }) =>
      query.selectFrom('child_sessions').select('id').execute(),
    )
    const { auth_time, ...identity } = await verify(token!)
    assert.ok(Math.abs(auth_time! - Date.now() / 1000) < 60)
    assert.deepEqual(identity, {
      acr: '1',
      amr: ['pwd'],
      session_id: child!.id,
      username: 'ada',
      context: 3,
      claims: ['users.ada'],
      email: 'ada@example.org',
      impersonator: undefined,
    })
    const { iss, aud, exp, iat } = open(token!, 1)
    assert.deepEqual(
      { iss, aud, life: Number(exp) - Number(iat) },
      { iss: 'http://localhost:9997', aud: audience, life: 300 },
    )
  })

  test('says how strongly and when the person proved who they are, by the level that the route asks for', async () => {
    const { hero } = daemon
    const [route] = (await hero.proxy.routes.list({ domain: 'wiki.localhost' })).items
    const at = Math.floor(Date.now() / 1000)
    const told = async (times: object) => {
      await byHand(daemon, async (database) => {
        await database.query.updateTable('sessions').set(times).execute()
        database.changed('sessions')
      })
      const { acr, amr, auth_time } = open((await received())[0]!, 1)
      return [acr, amr, auth_time]
    }
    const second = 'http://schemas.openid.net/pape/policies/2007/06/multi-factor'
    const passkey = { proven_at: at, second_at: at, passkey_at: at - 9 }
    assert.deepEqual(await told({ ...passkey, factor: 'totp' }), [second, ['pwd', 'otp', 'mfa'], at])
    await hero.proxy.routes.update({ id: route!.id, proof: 'passkey' })
    assert.deepEqual(await told(passkey), ['phr', ['pwd', 'otp', 'mfa'], at - 9])
    await hero.proxy.routes.update({ id: route!.id, proof: 'any' })
    const none = { second_at: 0, passkey_at: 0, factor: '' }
    assert.deepEqual(await told({ ...none, proven_at: at - 5 }), ['1', ['pwd'], at - 5])
    assert.deepEqual(await told({ ...none, proven_at: 0 }), ['0', ['pwd'], 0])
    assert.deepEqual(await told({ ...none, proven_at: at + 3600 }), ['0', ['pwd'], 0], 'ahead of the date')
    await told({ ...none, proven_at: at })
  })

  test('says nothing of proofs for a token to keep, nor of a person who is impersonated', async () => {
    const { hero } = daemon
    const { access_token: token } = await hero.token.create({ user: 'ada', name: 'script' })
    const [kept] = await received('wiki.localhost', ['Authorization', `Bearer ${token}`])
    assert.equal(open(kept!, 1).sub, 'ada')
    assert.equal('acr' in open(kept!, 1), false)
    await hero.users.add({ username: 'root', password: goodPassword, is_admin: true })
    const admin = await signIn(daemon, 'wiki.localhost', 'root', goodPassword)
    const other = await byHand(daemon, ({ query }) =>
      query.selectFrom('users').select('id').where('username', '=', 'ada').executeTakeFirstOrThrow(),
    )
    await byHand(daemon, async (database) => {
      await database.query
        .updateTable('sessions')
        .set({ impersonated_user_id: other.id, impersonating_until: Math.floor(Date.now() / 1000) + 600 })
        .where('user_id', '<>', other.id)
        .execute()
      database.changed('sessions')
    })
    const [acted] = await received('wiki.localhost', ['Cookie', admin])
    const { sub, act, ...rest } = open(acted!, 1)
    assert.deepEqual([sub, act], ['ada', { sub: 'root' }])
    assert.deepEqual(
      ['acr', 'amr', 'auth_time'].filter((name) => name in rest),
      [],
    )
  })

  test('is absent for guests, whatever they send, and on routes without an audience', async () => {
    const [token] = await received()
    assert.deepEqual(
      await received('wiki.localhost', ['X-Hero-Assertion', token!, 'x_hero_assertion', token!]),
      [],
    )
    assert.deepEqual(await received('plain.localhost'), [])
  })

  test('is reused for a session and audience, and signed again after a change', async () => {
    const [first] = await received()
    assert.deepEqual(await received(), [first])
    const [other] = await received('blog.localhost')
    assert.notEqual(other, first)
    await daemon.hero.groups.add({ slug: 'engineers' })
    await daemon.hero.groups.add_member({ group: 'engineers', user: 'ada' })
    const [changed] = await received()
    assert.deepEqual(open(changed!, 1).claims, ['groups.engineers', 'users.ada'])
  })

  test('is refused for another audience or issuer', async () => {
    const [token] = await received('blog.localhost')
    await assert.rejects(verify(token!), Unauthenticated)
    const [ours] = await received()
    await assert.rejects(verify(ours!, { issuer: 'https://elsewhere.example.org' }), Unauthenticated)
    assert.equal((await verify(ours!, { issuer: 'http://localhost:9997' })).username, 'ada')
  })

  test('is refused when forged', async () => {
    const [token] = await received()
    const [head, body, signature] = token!.split('.') as [string, string, string]
    const header = open(token!, 0)
    const claims = open(token!, 1)
    const { keys } = await daemon.hero.keys.jwks()
    const { privateKey, publicKey } = generateKeyPairSync('ed25519')
    const signed = (h: object, c: object) => {
      const text = `${part(h)}.${part(c)}`
      return `${text}.${sign(null, Buffer.from(text), privateKey).toString('base64url')}`
    }
    const hs256 = `${part({ ...header, alg: 'HS256' })}.${body}`
    const forged = [
      `${head}.${part({ ...claims, sub: 'root' })}.${signature}`,
      `${part({ ...header, alg: 'none' })}.${body}.`,
      `${part({ ...header, alg: 'none' })}.${body}.${signature}`,
      `${hs256}.${createHmac('sha256', Buffer.from(keys[0]!.x!, 'base64url')).update(hs256).digest('base64url')}`,
      `${hs256}.${createHmac('sha256', JSON.stringify(keys[0])).update(hs256).digest('base64url')}`,
      signed(header, claims),
      signed({ ...header, jwk: publicKey.export({ format: 'jwk' }) }, claims),
      signed({ ...header, jku: 'http://127.0.0.1/keys', kid: 'other' }, claims),
      signed({ ...header, kid: undefined }, claims),
      `${token}=`,
      ` ${token}`,
      `${token}.`,
      `${head}.${body}`,
      '',
      'x',
      `${part({ ...header, typ: 'JWT' })}.${body}.${signature}`,
      `${part({ ...header, crit: ['exp'] })}.${body}.${signature}`,
    ]
    for (const text of forged) await assert.rejects(verify(text), Unauthenticated, text)
    assert.equal((await verify(token!)).username, 'ada')
  })

  test('is not reused once the identity has changed', async () => {
    const database = await openDatabase(`sqlite:${join(daemon.dir, 'keys.db')}`, createLog('silent'))
    const assertions = new Assertions(new Keys(database, new Seal('of this test alone')), 'http://localhost')
    const who = {
      proof: { by: 'session', id: 's' } as const,
      username: 'ada',
      context: 1,
      claims: ['users.ada'],
      email: 'ada@example.org' as string | null,
      impersonator: undefined,
    }
    const first = await assertions.assert(who, audience)
    assert.equal(await assertions.assert({ ...who }, audience), first)
    for (const [name, value] of Object.entries({
      email: null,
      context: 2,
      username: 'eve',
      claims: [],
      proved: { proofs: { proven_at: 5, second_at: 0, passkey_at: 0 }, amr: ['pwd'] },
    })) {
      const token = await assertions.assert({ ...who, [name]: value }, audience)
      assert.notEqual(token, first, name)
      await assertions.assert(who, audience)
    }
    await database.close()
  })

  test('has a sid for sessions only, and equal ids of two kinds share no assertion', async (t) => {
    const database = await openDatabase(`sqlite:${join(daemon.dir, 'kinds.db')}`, createLog('silent'))
    t.after(() => database.close())
    const assertions = new Assertions(new Keys(database, new Seal('of this test alone')), 'http://localhost')
    const ada = { username: 'ada', context: 1, claims: [], email: null, impersonator: undefined }
    const sidOf = async (by: Proof['by']) =>
      open(await assertions.assert({ ...ada, proof: { by, id: 'same' } }, audience), 1).sid
    assert.equal(await sidOf('session'), 'same')
    for (const by of ['token', 'network', 'key', 'route_test'] as const)
      assert.equal(await sidOf(by), undefined, by)
  })

  test('cannot be verified without an audience, which would accept assertions for others', () => {
    const other = undefined as unknown as string
    for (const options of [{ audience: '' }, { audience: other }, { audience: [] as unknown as string }])
      assert.throws(() => verifyAssertion(daemon.hero, options), /audience/)
    assert.throws(() => verifyAssertion(daemon.hero, { audience, issuer: '' }), /issuer/)
  })

  test('is trusted for at most ten minutes after its key was withdrawn', async (t) => {
    const database = await openDatabase(`sqlite:${join(daemon.dir, 'leaked.db')}`, createLog('silent'))
    t.after(() => database.close())
    const keys = new Keys(database, new Seal('of this test alone'))
    let asked = 0
    const check = verifyAssertion(
      { keys: { jwks: () => (asked++, keys.jwks()) } as unknown as HeroProxy['keys'] },
      { audience },
    )
    // An attacker continues to sign with the stolen key.
    const known = await keys.signing()
    const stolen = { signing: () => known } as unknown as Keys
    const who = {
      proof: { by: 'session', id: 's' } as const,
      username: 'ada',
      context: 1,
      email: null,
      impersonator: undefined,
    }
    const headers = async () => ({
      'x-hero-assertion': await new Assertions(stolen, 'http://x').assert({ ...who, claims: [] }, audience),
    })
    const first = await headers()
    await Promise.all([check(first), check(first), check(first)])
    assert.equal(asked, 1)
    await keys.rotate(await keys.generatePairs(2), true)
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 9 * 60_000 })
    assert.equal((await check(await headers())).username, 'ada')
    t.mock.timers.setTime(Date.now() + 2 * 60_000)
    await assert.rejects(check(await headers()), Unauthenticated)
    assert.equal(asked, 2)
  })

  test('is neither accepted nor called invalid while the key set is unavailable', async () => {
    const [token] = await received()
    const away = new HeroProxy({ url: 'http://127.0.0.1:9' })
    const check = verifyAssertion(away, { audience })
    await assert.rejects(
      check({ 'x-hero-assertion': token! }),
      (error) => !(error instanceof Unauthenticated),
    )
  })

  test('verifies across a rotation: the retired key still verifies, the new one signs', async () => {
    const check = verifyAssertion(daemon.hero, { audience })
    const [old] = await received()
    assert.equal((await check({ 'x-hero-assertion': old! })).username, 'ada')
    const before = await daemon.hero.keys.jwks()
    const { items: rotated } = await daemon.hero.keys.rotate()
    const [fresh] = await received()
    const { kid } = open(fresh!, 0)
    assert.equal(
      kid,
      rotated.find(({ state, algorithm }) => state === 'signing' && algorithm === 'EdDSA')!.kid,
    )
    // A cached key set from before already contains the key.
    assert.ok(before.keys.some((known) => known.kid === kid))
    assert.notEqual(fresh, old)
    assert.equal((await verify(old!)).username, 'ada')
    assert.equal((await verify(fresh!)).username, 'ada')
    const { body } = await ask(daemon, 'localhost', '/.well-known/jwks.json')
    assert.deepEqual(JSON.parse(body), await daemon.hero.keys.jwks())
    const text = JSON.stringify(await daemon.hero.keys.list()) + body
    assert.ok(!text.includes('PRIVATE') && !text.includes('"d"'))
    const { items } = await daemon.hero.keys.list()
    assert.deepEqual(
      items.map(({ state, algorithm }) => `${state} ${algorithm}`),
      ['signing', 'next', 'retired'].flatMap((state) => [`${state} EdDSA`, `${state} RS256`]),
    )
  })

  test('is refused when its key was dropped', async () => {
    const [stolen] = await received()
    const before = new Set((await daemon.hero.keys.jwks()).keys.map(({ kid }) => kid))
    await daemon.hero.keys.rotate({ drop: true })
    const after = (await daemon.hero.keys.jwks()).keys.map(({ kid }) => kid)
    assert.equal(after.length, 4)
    assert.deepEqual(
      after.filter((kid) => before.has(kid)),
      [],
    )
    await assert.rejects(verify(stolen!))
    const [fresh] = await received()
    assert.equal((await verify(fresh!)).username, 'ada')
  })

  test('verifies after a restart', async () => {
    const [token] = await received()
    daemon = await daemon.restart()
    assert.equal((await verify(token!)).username, 'ada')
  })
})
