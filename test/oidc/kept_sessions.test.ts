import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { Seal } from '../../src/secrets/seal.ts'
import { now } from '../../src/storage/ids.ts'
import { goodPassword } from '../support/daemon.ts'
import { codeOf, enrolled } from '../support/factors.ts'
import {
  App,
  callback,
  newPerson,
  payloadOf,
  pkce,
  post,
  startProvider,
  type Provider,
} from '../support/openid_stage.ts'
import { byHand, signedIn } from '../support/people.ts'
import type { Person } from '../support/person.ts'
import { refused } from '../support/refused.ts'

const ofAdministrators = /^(admin|groups\.admin|proxy\..*)$/
const device = 'urn:ietf:params:oauth:grant-type:device_code'

/** A laptop that stays signed in, or a trusted browser: what it may not hold now, nothing made in it ever holds. */
suite('what is made in a session without a fresh proof', () => {
  let stage: Provider
  let app: App
  let tv: string
  before(async () => {
    stage = await startProvider()
    const { hero } = stage.daemon
    const { client_secret } = await hero.clients.add({
      name: 'App',
      client: 'app',
      anyone: true,
      redirect_uris: [callback],
      scopes: ['openid', 'profile', 'offline_access', 'groups', 'claims', 'read', 'write', 'admin'],
    })
    app = new App(stage.issuer, { client: 'app', client_secret })
    const { client } = await hero.clients.add({
      name: 'TV',
      anyone: true,
      public: true,
      grants: ['device_code'],
      scopes: ['openid', 'groups', 'read', 'admin'],
    })
    tv = client
  })
  after(() => stage.daemon.close())

  /** A browser that stays signed in, whose last proof is two days old. */
  const laptop = async (login: string): Promise<Person> => {
    const person = newPerson()
    const page = await person.open(`${stage.issuer}/auth/login`)
    await person.submit(page, '/auth/login', { login, password: goodPassword, remember: '1' })
    await age(login)
    return person
  }
  const age = (login: string) =>
    byHand(stage.daemon, async (database) => {
      await database.query
        .updateTable('sessions')
        .set({ proven_at: now() - 2 * 86_400 })
        .where('user_id', 'in', (users) =>
          users.selectFrom('users').select('id').where('username', '=', login),
        )
        .execute()
      database.changed('sessions')
    })
  const everything = 'openid groups claims offline_access read write admin'
  /** From a request with this scope to tokens for our own doors. */
  const get = async (person: Person, login: string, scope = everything) => {
    const { code_verifier, challenge } = pkce()
    const resource = stage.issuer
    const back = await app.signIn(person, login, { ...challenge, scope, resource })
    return app.token({
      grant_type: 'authorization_code',
      code: back.get('code')!,
      redirect_uri: callback,
      code_verifier,
      resource,
    })
  }
  const lacksAll = (token: string) => {
    const {
      scope,
      claims = [],
      groups = [],
    } = payloadOf(token) as Record<string, string[] | undefined> & {
      scope?: string
    }
    assert.ok(!String(scope).split(' ').includes('admin'), String(scope))
    assert.deepEqual(
      claims!.filter((claim) => ofAdministrators.test(claim)),
      [],
    )
    assert.ok(!groups!.includes('admin'))
  }

  test('codes, tokens and grants have neither the claims nor the scope, until a new approval with the proof', async () => {
    const person = await laptop('ada')
    const { body } = await get(person, 'ada')
    lacksAll(body.id_token)
    lacksAll(body.access_token)
    assert.equal(payloadOf(body.access_token).scope, 'read write')
    // The consent that was given there does not cover the scope either.
    const consents = await byHand(stage.daemon, ({ query }) =>
      query.selectFrom('consents').selectAll().execute(),
    )
    assert.ok(!JSON.stringify(consents).includes('admin at'))
    const proving = await person.open(`${stage.issuer}/auth/prove`)
    await person.submit(proving, '/auth/prove', { password: goodPassword })
    // A proof later changes nothing about what was made before it.
    const { body: later } = await app.token({
      grant_type: 'refresh_token',
      refresh_token: body.refresh_token,
      resource: stage.issuer,
    })
    lacksAll(later.access_token)
    lacksAll(later.id_token)
    const asked = await person.open(
      app.authorizeUrl({ ...pkce().challenge, scope: everything, resource: stage.issuer }),
    )
    assert.ok(asked.url.pathname.startsWith('/auth/consent/'), asked.url.href)
    const { body: approved } = await get(person, 'ada')
    assert.equal(payloadOf(approved.access_token).scope, 'read write admin')
    assert.ok((payloadOf(approved.access_token).claims as string[]).includes('proxy.admin'))
  })

  test('nobody else gives the scope admin from such a session either: they may become an administrator', async () => {
    const { body } = await get(await laptop('grace'), 'grace')
    assert.equal(payloadOf(body.access_token).scope, 'read write')
    await stage.daemon.hero.users.update({ username: 'grace', is_admin: true })
    const { body: later } = await app.token({
      grant_type: 'refresh_token',
      refresh_token: body.refresh_token,
      resource: stage.issuer,
    })
    lacksAll(later.access_token)
    await stage.daemon.hero.users.update({ username: 'grace', is_admin: false })
  })

  /** As grants were from before they recorded a proof. */
  const forgetProofs = () =>
    byHand(stage.daemon, async (database) => {
      const { data_dir } = stage.daemon.config
      const seal = new Seal(readFileSync(join(data_dir, 'master.key'), 'utf8').trim())
      const rows = await database.query.selectFrom('oidc_records').select(['id', 'payload_sealed']).execute()
      for (const { id, payload_sealed } of rows) {
        const row = `oidc_records:${id}`
        const { acr: _, authTime: __, extra: ___, ...payload } = JSON.parse(seal.open(payload_sealed, row))
        await database.query
          .updateTable('oidc_records')
          .set({ payload_sealed: seal.seal(JSON.stringify(payload), row) })
          .where('id', '=', id)
          .execute()
      }
      database.changed('records')
    })

  test('what recorded no proof has neither, and reaches no proof that is asked for since', async () => {
    const { hero } = stage.daemon
    const userinfo = async (token: string): Promise<{ claims: string[]; groups: string[] }> => {
      const answer = await fetch(`${stage.issuer}/userinfo`, {
        headers: { authorization: `Bearer ${token}` },
      })
      return (await answer.json()) as never
    }
    const told = async (token: string) =>
      (await post(`${stage.issuer}/oauth/introspect`, { token }, app.client)).body
    const ofAdmin = ({ claims, groups }: { claims: string[]; groups: string[] }) =>
      [...claims, ...groups].filter((claim) => ofAdministrators.test(claim))
    const { code_verifier, challenge } = pkce()
    const back = await app.signIn(newPerson(), 'ada', {
      ...challenge,
      scope: 'openid groups claims offline_access',
    })
    const { body } = await app.redeem(back.get('code')!, code_verifier)
    assert.ok(ofAdmin(await userinfo(body.access_token)).includes('admin'))
    await forgetProofs()
    assert.deepEqual(ofAdmin(await userinfo(body.access_token)), [])
    const { body: later } = await app.refresh(body.refresh_token)
    lacksAll(later.id_token)
    assert.deepEqual(ofAdmin(await userinfo(later.access_token)), [])
    assert.equal((await told(later.refresh_token)).active, true)
    await hero.clients.update({ client: 'app', proof: 'second' })
    assert.equal((await told(later.refresh_token)).active, false)
    assert.equal((await told(later.access_token)).active, false)
    assert.equal((await app.refresh(later.refresh_token)).status, 400)
    await hero.clients.update({ client: 'app', proof: 'any' })
  })

  test('a device that is approved there has neither', async () => {
    const approve = async (person: Person) => {
      const { body } = await post(`${stage.issuer}/oauth/device`, {
        client_id: tv,
        scope: 'openid groups read admin',
        resource: stage.issuer,
      })
      const codes = body as unknown as Record<'device_code' | 'user_code', string>
      let page = await person.open(`${stage.issuer}/device`)
      page = await person.submit(page, '/device', { user_code: codes.user_code })
      page = await person.submit(page, '/device', { confirm: 'yes' })
      if (page.url.pathname.startsWith('/auth/consent/'))
        await person.submit(page, '/auth/consent/', { answer: 'allow' })
      return post(`${stage.issuer}/token`, {
        grant_type: device,
        client_id: tv,
        device_code: codes.device_code,
        resource: stage.issuer,
      })
    }
    const { body } = await approve(await laptop('ada'))
    assert.equal(payloadOf(body.access_token).scope, 'read')
    lacksAll(body.access_token)
    lacksAll(body.id_token)
  })

  test('no token to keep with the scope admin is made there', async () => {
    const { hero } = stage.daemon
    await hero.users.add({ username: 'joan', password: goodPassword, is_admin: true })
    const joan = await signedIn(stage.daemon, 'joan')
    await hero.settings.set({ key: 'admin_factor', value: true })
    try {
      await refused(joan.token.create({ name: 'x', scope: 'admin' }), 'proof_required')
      await refused(joan.token.create({ name: 'x', scope: 'read admin' }), 'proof_required')
      await joan.token.create({ name: 'x', scope: 'write' })
      const { secret } = await enrolled(joan)
      await joan.auth.prove({ code: codeOf(secret, 1) })
      await joan.token.create({ name: 'y', scope: 'admin' })
    } finally {
      await hero.settings.set({ key: 'admin_factor', value: false })
    }
  })

  test('a trusted browser gives an application no more than one factor', async () => {
    const { hero } = stage.daemon
    await hero.users.add({ username: 'eve', password: goodPassword, is_admin: true })
    const { secret } = await enrolled(await signedIn(stage.daemon, 'eve'))
    const person = newPerson()
    const enter = async () =>
      person.signIn(await person.open(`${stage.issuer}/auth/login`), 'eve', goodPassword)
    await person.submit(await enter(), '/auth/factor', { code: codeOf(secret, 1), trust: '1' })
    await person.submit(await person.open(`${stage.issuer}/auth/logout`), '/auth/logout', {})
    assert.ok(!(await enter()).text.includes('/auth/factor'))
    await hero.settings.set({ key: 'admin_factor', value: true })
    try {
      const { body } = await get(person, 'eve')
      const { acr, amr } = payloadOf(body.id_token)
      assert.deepEqual([acr, amr], ['1', ['pwd']])
      lacksAll(body.id_token)
      lacksAll(body.access_token)
    } finally {
      await hero.settings.set({ key: 'admin_factor', value: false })
    }
  })
})
