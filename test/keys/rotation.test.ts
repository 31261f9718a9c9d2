import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { createRemoteJWKSet, generateKeyPair, jwtVerify, SignJWT } from 'jose'
import * as openid from 'openid-client'
import { Unauthenticated, verifyToken, type HeroProxy } from '../../sdk/index.ts'
import { Keys } from '../../src/keys/keys.ts'
import { createLog } from '../../src/log/log.ts'
import { readMasterSecret } from '../../src/start/master_secret.ts'
import type { Database } from '../../src/storage/database.ts'
import { Seal } from '../../src/secrets/seal.ts'
import { refused } from '../support/refused.ts'
import { App, callback, newPerson, payloadOf, startProvider, type Provider } from '../support/openid_stage.ts'
import { openDatabase } from '../../src/storage/open_database.ts'

const minute = 60_000

suite('key rotation under verification', () => {
  let stage: Provider
  let app: App
  let program: App
  let database: Database
  /** Another node on the same database. */
  let node: Keys
  before(async () => {
    stage = await startProvider()
    const { hero, config } = stage.daemon
    const add = async (more: object) =>
      new App(stage.issuer, await hero.clients.add({ anyone: true, name: 'client', ...more }))
    app = await add({ redirect_uris: [callback], first_party: true })
    program = await add({ scopes: ['read'] })
    database = await openDatabase(config.database_url, createLog('silent'))
    node = new Keys(database, new Seal(readMasterSecret(config)))
  })
  after(async () => {
    await database.close()
    await stage.daemon.close()
  })
  const jwksUrl = () => new URL(`${stage.issuer}/.well-known/jwks.json`)
  const accessToken = async () =>
    (await program.token({ grant_type: 'client_credentials' })).body.access_token

  /** Verifiers that started earlier and cache keys as they like: three libraries, five ways. */
  const startVerifiers = async () => {
    const { hero } = stage.daemon
    const keys = createRemoteJWKSet(jwksUrl())
    const ours = verifyToken(hero, { audience: stage.issuer, issuer: stage.issuer })
    const checked = { issuer: stage.issuer }
    const config = await openid.discovery(
      new URL(stage.issuer),
      app.client.client,
      app.client.client_secret!,
      undefined,
      { execute: [openid.allowInsecureRequests, openid.enableNonRepudiationChecks] },
    )
    const { body } = await app.tokens(newPerson(), 'ada', { scope: 'openid offline_access' })
    let refresh = body.refresh_token
    const kids = new Set<unknown>()
    const idTokens: string[] = []
    const accessTokens: string[] = []
    let verified = 0
    /** Gets new tokens and verifies these and all earlier ones that are still valid. */
    const round = async () => {
      // The library verifies the signature of the ID token itself, with its cached keys.
      const renewed = await openid.refreshTokenGrant(config, refresh)
      refresh = renewed.refresh_token!
      idTokens.push(renewed.id_token!)
      accessTokens.push(await accessToken())
      for (const token of [...idTokens, ...accessTokens]) kids.add(payloadOf(token, 0).kid)
      const valid = (token: string) => Number(payloadOf(token).exp) > Date.now() / 1000
      for (const token of idTokens.filter(valid)) {
        await jwtVerify(token, keys, { ...checked, audience: app.client.client, algorithms: ['RS256'] })
        verified++
      }
      for (const token of accessTokens.filter(valid)) {
        await jwtVerify(token, keys, { ...checked, audience: stage.issuer, algorithms: ['EdDSA'] })
        assert.equal((await ours(token)).client, program.client.client)
        verified++
      }
    }
    return { round, kids, verified: () => verified }
  }

  test('three manual and three scheduled rotations cause no failed verification', async (t) => {
    const { round, kids, verified } = await startVerifiers()
    const { hero } = stage.daemon
    let at = Date.now()
    t.mock.timers.enable({ apis: ['Date'], now: at })
    const pass = (milliseconds: number) => t.mock.timers.setTime((at += milliseconds))
    await round()
    for (let i = 0; i < 3; i++) {
      // Also during a rotation.
      await Promise.all([hero.keys.rotate(), ...Array.from({ length: 5 }, accessToken)])
      await round()
      for (let j = 0; j < 4; j++) {
        pass(5 * minute)
        await round()
      }
    }
    const before = kids.size
    // For each algorithm the first one, and one more for each rotation.
    assert.equal(before, 2 * 4)
    for (let i = 0; i < 3; i++) {
      // Days pass in steps at which a program would renew its token.
      for (let day = 0; day < 4; day++) {
        pass(24 * 60 * minute)
        await node.rotateWhenDue(7)
        await round()
      }
    }
    assert.equal(kids.size - before, 2)
    pass(8 * 24 * 60 * minute)
    const made = (await node.list()).items.length
    await Promise.all([
      node.rotateWhenDue(7),
      node.rotateWhenDue(7),
      ...Array.from({ length: 5 }, accessToken),
    ])
    await round()
    assert.equal(kids.size - before, 4)
    // Two concurrent rotations count as one: one new key of each algorithm.
    assert.equal((await node.list()).items.length, made + 2)
    assert.ok(verified() > 100)
  })

  test('the next key is published before it signs', async () => {
    const { hero } = stage.daemon
    const { keys: known } = await hero.keys.jwks()
    await hero.keys.rotate()
    const { body } = await app.tokens(newPerson(), 'ada')
    for (const token of [body.id_token, await accessToken()])
      assert.ok(known.some(({ kid }) => kid === payloadOf(token, 0).kid))
  })

  test('a key signs only after it was published for five minutes, so the second of two rotations waits', async (t) => {
    const { hero } = stage.daemon
    // One day earlier: whatever was published by then is known everywhere.
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() - 24 * 60 * minute })
    await hero.keys.rotate({ drop: true })
    // All of these were published at once.
    const { items } = await hero.keys.rotate()
    const known = await hero.keys.jwks()
    for (const wait of [0, 1, 298]) {
      t.mock.timers.setTime(Date.now() + wait * 1000)
      const { message } = await refused(hero.keys.rotate(), 'conflict')
      assert.match(message, /rotated \d+ s ago.* in \d+ s, or with `drop`/)
    }
    assert.deepEqual(await hero.keys.list(), { items })
    t.mock.timers.setTime(Date.now() + 2000)
    await hero.keys.rotate()
    const { kid: signs } = payloadOf(await accessToken(), 0)
    assert.ok(known.keys.some(({ kid }) => kid === signs))
  })

  test('dropped keys are no longer trusted once caches expire', async (t) => {
    const { hero } = stage.daemon
    const person = newPerson()
    const { body } = await app.tokens(person, 'ada')
    const token = await accessToken()
    const kept = createRemoteJWKSet(jwksUrl())
    const ours = verifyToken(hero, { audience: stage.issuer })
    await jwtVerify(body.id_token, kept)
    await ours(token)
    await hero.keys.rotate({ drop: true })
    const fresh = createRemoteJWKSet(jwksUrl())
    await assert.rejects(jwtVerify(body.id_token, fresh), { code: 'ERR_JWKS_NO_MATCHING_KEY' })
    await assert.rejects(verifyToken(hero, { audience: stage.issuer })(token), Unauthenticated)
    // The daemon itself refuses at once: an id_token_hint signed with a dropped key is invalid.
    const url = new URL('/oauth/logout', stage.issuer)
    url.searchParams.set('id_token_hint', body.id_token)
    assert.equal((await person.open(url)).status, 400)
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 11 * minute })
    await assert.rejects(jwtVerify(body.id_token, kept), { code: 'ERR_JWKS_NO_MATCHING_KEY' })
    await assert.rejects(ours(token), Unauthenticated)
    // Sessions stay, and what is signed now verifies.
    await ours(await accessToken())
  })

  test('private keys are stored sealed, and a sealed key opens only in its own row', async () => {
    await stage.daemon.hero.keys.rotate()
    const signing = [await node.signing('EdDSA'), await node.signing('RS256')]
    const secrets = signing.flatMap(({ key }) => {
      const { d } = key.export({ format: 'jwk' })
      const der = key.export({ type: 'pkcs8', format: 'der' })
      // As they could appear in a PEM, in a JWK, or as bytes.
      return [
        Buffer.from(d!),
        Buffer.from(d!, 'base64url'),
        Buffer.from(der.toString('base64').slice(60, 120)),
      ]
    })
    secrets.push(Buffer.from('PRIVATE KEY'), Buffer.from('"d":'))
    const { data_dir } = stage.daemon.config
    const files = readdirSync(data_dir)
      .map((name) => join(data_dir, name))
      .filter((file) => statSync(file).isFile())
      .map((file) => readFileSync(file))
    const isStored = (what: string | Buffer) => files.some((bytes) => bytes.includes(what))
    assert.ok(isStored(signing[0]!.kid), 'the keys are in these files')
    for (const secret of secrets) assert.equal(isStored(secret), false)
    const rows = await database.query.selectFrom('signing_keys').selectAll().execute()
    const [one, other] = rows as [(typeof rows)[0], (typeof rows)[0]]
    const seal = new Seal(readMasterSecret(stage.daemon.config))
    assert.match(seal.open(one.private_sealed, `signing_keys:${one.id}`), /PRIVATE KEY/)
    assert.throws(() => seal.open(one.private_sealed, `signing_keys:${other.id}`))
    assert.throws(() => new Seal('another').open(one.private_sealed, `signing_keys:${one.id}`))
    assert.doesNotMatch(
      JSON.stringify([await stage.daemon.hero.keys.list(), stage.daemon.logged]),
      /private/i,
    )
  })

  test('unknown key ids cause at most one fetch of the key set every ten seconds', async (t) => {
    let fetched = 0
    const { hero } = stage.daemon
    const counting = { keys: { jwks: () => (fetched++, hero.keys.jwks()) } } as unknown as HeroProxy
    const ours = verifyToken(counting, { audience: stage.issuer })
    await ours(await accessToken())
    assert.equal(fetched, 1)
    const { privateKey } = await generateKeyPair('EdDSA')
    const forged = (i: number) =>
      new SignJWT(payloadOf('.e30.'))
        .setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt', kid: `stranger${i}` })
        .sign(privateKey)
    let at = Date.now()
    t.mock.timers.enable({ apis: ['Date'], now: at })
    for (let times = 1; times <= 3; times++) {
      t.mock.timers.setTime((at += 10_500))
      const tokens = await Promise.all(Array.from({ length: 50 }, (_, i) => forged(i)))
      const answers = await Promise.allSettled(tokens.map((token) => ours(token)))
      assert.ok(answers.every(({ status }) => status === 'rejected'))
      for (const token of tokens.slice(0, 10)) await assert.rejects(ours(token), Unauthenticated)
      assert.equal(fetched, 1 + times)
    }
    // New keys are still found in the meantime.
    await hero.keys.rotate({ drop: true })
    t.mock.timers.setTime((at += 10_500))
    await ours(await accessToken())
  })
})
