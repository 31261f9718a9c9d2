import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { Unauthenticated, verifyToken } from '../../sdk/index.ts'
import { goodPassword } from '../support/daemon.ts'
import { byHand } from '../support/people.ts'
import { refused } from '../support/refused.ts'
import {
  App,
  callback,
  newPerson,
  payloadOf,
  pkce,
  startProvider,
  type Provider,
} from '../support/openid_stage.ts'

suite('attempts to gain more rights', () => {
  let stage: Provider
  before(async () => {
    stage = await startProvider()
  })
  after(() => stage.daemon.close())

  test('managing clients is not enough to make one an administrator or to take over one that is', async () => {
    const { hero } = stage.daemon
    const [keeper, master] = await Promise.all([
      hero.clients.add({ name: 'Keeper', claims: ['proxy.oauth.write'], scopes: ['read', 'admin'] }),
      hero.clients.add({ name: 'Master', claims: ['proxy.admin'], scopes: ['read', 'admin'] }),
    ])
    const { access_token } = await hero.token.create({
      client_id: keeper.client,
      client_secret: keeper.client_secret!,
      scope: 'admin',
    })
    const as = hero.as(access_token)
    const [own, other] = [keeper.client, master.client]
    for (const attempt of [
      () => as.clients.add({ name: 'x', claims: ['proxy.admin'] }),
      () => as.clients.add({ name: 'x', claims: ['Proxy.Users.Write'] }),
      () => as.clients.add({ name: 'x', scopes: ['read', 'admin'] }),
      () =>
        as.clients.add({
          anyone: true,
          name: 'x',
          redirect_uris: [callback],
          first_party: true,
          scopes: ['openid', 'admin'],
        }),
      () => as.clients.update({ client: own, claims: ['proxy.admin', 'proxy.oauth.write'] }),
      () => as.clients.update({ client: other, name: 'Mine' }),
      // The rights that the client had count as well as those that it is left with.
      () => as.clients.update({ client: other, claims: [], scopes: ['read'] }),
      () => as.clients.rotate_secret({ client: other }),
      () => as.clients.remove({ client: other }),
    ])
      assert.deepEqual((await refused(attempt(), 'claim_required')).data.claims, ['proxy.admin'])
    assert.deepEqual((await hero.clients.get({ client: other })).name, 'Master')
    // Clients without administrative rights can still be managed.
    const { client } = await as.clients.add({ name: 'Plain', scopes: ['read', 'write'] })
    await as.clients.update({ client, name: 'Plainer' })
    await as.clients.rotate_secret({ client })
    await as.clients.remove({ client })
  })

  test('managing clients lets a caller grant only the claims it has, unless it may edit roles', async () => {
    const { hero } = stage.daemon
    const deployer = await hero.clients.add({ name: 'Deployer', claims: ['deploy.run'] })
    const keeper = async (claims: string[]) => {
      const { client, client_secret } = await hero.clients.add({
        anyone: true,
        name: 'Keeper',
        claims: ['proxy.oauth.write', ...claims],
        scopes: ['read', 'admin'],
      })
      const { access_token } = await hero.token.create({
        client_id: client,
        client_secret: client_secret!,
        scope: 'admin',
      })
      return hero.as(access_token)
    }
    const bare = await keeper([])
    const attempts = (as: typeof bare) => [
      () => as.clients.add({ name: 'x', claims: ['deploy.run'] }),
      () => as.clients.update({ client: deployer.client, name: 'Deployer' }),
      () => as.clients.rotate_secret({ client: deployer.client }),
    ]
    for (const attempt of [
      ...attempts(bare),
      () => bare.clients.update({ client: deployer.client, claims: [] }),
      () => bare.clients.remove({ client: deployer.client }),
    ])
      assert.deepEqual((await refused(attempt(), 'claim_required')).data.claims, ['proxy.roles.write'])
    for (const as of [await keeper(['deploy.run']), await keeper(['proxy.roles.write'])])
      for (const attempt of attempts(as)) await attempt()
  })

  test('a token of an administrator cannot add another way to sign in for that administrator', async () => {
    const { hero } = stage.daemon
    const { access_token } = await hero.token.create({ user: 'ada', name: 'x', scope: 'admin' })
    const as = hero.as(access_token)
    const pubkey = '0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798'
    const [current_password, password] = [goodPassword, 'velvet-harbor-93-comet']
    for (const attempt of [
      () => as.users.keys.add({ user: 'ada', pubkey }),
      () => as.users.keys.add({ user: 'ADA', pubkey }),
      () => as.users.networks.add({ user: 'ada', network: '0.0.0.0/0' }),
      () => as.users.identities.add({ user: 'ada', provider: 'forge', subject: '1' }),
      () => as.users.update({ username: 'Ada', email: 'eve@example.org' }),
      () => as.users.update({ username: 'ada', context: 0 }),
      () => as.auth.set_password({ password, current_password }),
      () => as.auth.set_password({ user: 'ada', password, current_password }),
      () => as.auth.change_email({ email: 'eve@example.org', current_password }),
      () => as.factors.clear({ user: 'ada' }),
    ])
      await refused(attempt(), 'proof_required')
    // It can still do so for other people.
    await as.users.keys.add({ user: 'grace', pubkey })
    await as.users.update({ username: 'grace', email: 'hopper@example.org' })
  })

  test('names and refused calls cannot inject text into the audit log', async () => {
    const { hero } = stage.daemon
    const { access_token } = await hero.token.create({ user: 'grace', name: 'x', scope: 'read' })
    const targetOf = async (outcome: string) =>
      (await hero.audit.list({ method: 'token.create', outcome, limit: 1 })).items[0]!.target
    const forged = { name: 'n'.repeat(100_000), user: 'ada id=1\nforged', service: 'x user=ada' }
    await refused(hero.as(access_token).token.create(forged), 'claim_required')
    assert.match(await targetOf('claim_required'), /^user="ada id=1\?forged" name=n{260}$/)
    await refused(hero.token.create({ user: 'grace', name: 'a\u202eb\u2028c' }), 'invalid_params', 'name')
    await hero.token.create({ user: 'grace', name: 'a" id=1' })
    assert.match(await targetOf('ok'), /^user=grace name="a\\" id=1" id=[0-9a-f-]{36}$/)
  })

  test('a secret in the wrong parameter is not stored, and not reported as revoked', async () => {
    const { hero } = stage.daemon
    const { client_secret } = await hero.clients.add({ name: 'x', client: 'swapped' })
    const { access_token: kept } = await hero.token.create({ user: 'grace', name: 'x' })
    const { access_token: session } = await hero.auth.login({ login: 'grace', password: goodPassword })
    for (const id of [kept, session]) {
      await refused(hero.token.revoke({ id }), 'invalid_params', 'id')
      assert.equal((await hero.token.validate({ token: id })).active, true)
    }
    const swapped = hero.token.create({ client_id: client_secret!, client_secret: 'swapped' })
    await refused(swapped, 'unauthenticated')
    await refused(hero.token.create({ client_id: 'swapped', client_secret: 'x' }), 'unauthenticated')
    const { items } = await hero.audit.list({ method: 'token.create', outcome: 'unauthenticated', limit: 2 })
    assert.deepEqual(
      items.map(({ target }) => target),
      ['client=swapped', ''],
    )
    const everything = await byHand(stage.daemon, async ({ query }) =>
      JSON.stringify([
        await query.selectFrom('revoked_tokens').selectAll().execute(),
        await query.selectFrom('audit').selectAll().execute(),
      ]),
    )
    for (const secret of [kept, session, client_secret!]) assert.ok(!everything.includes(secret))
  })

  test('a client disabled while its token request waits gets no token', async () => {
    const { hero } = stage.daemon
    const { client: client_id, client_secret } = await hero.clients.add({ name: 'x', client: 'waiting' })
    let creating: Promise<unknown> | undefined
    await byHand(stage.daemon, async (database) => {
      await database.query
        .updateTable('clients')
        .set({ is_active: 0 })
        .where('client', '=', client_id)
        .execute()
      database.changed('clients')
      creating = refused(hero.token.create({ client_id, client_secret: client_secret! }), 'unauthenticated')
      await setTimeout(300)
    })
    await creating
  })

  test('a client token for a person lasts five minutes, and ends with its consent, password or account', async () => {
    const { hero } = stage.daemon
    const client = await hero.clients.add({
      anyone: true,
      name: 'App',
      client: 'app',
      redirect_uris: [callback],
      scopes: ['openid', 'read', 'write'],
    })
    const app = new App(stage.issuer, client)
    const resource = stage.issuer
    const issue = async () => {
      const { code_verifier, challenge } = pkce()
      const back = await app.signIn(newPerson(), 'grace', { ...challenge, scope: 'openid write', resource })
      const code = back.get('code')!
      const grant = { grant_type: 'authorization_code', redirect_uri: callback }
      const { body } = await app.token({ ...grant, code, code_verifier, resource })
      assert.equal(body.expires_in, 300)
      const { iat, exp } = payloadOf(body.access_token) as { iat: number; exp: number }
      assert.equal(exp - iat, 300)
      const as = hero.as(body.access_token)
      assert.equal((await as.auth.me()).user, 'grace')
      await elsewhere(body.access_token)
      return { as, token: body.access_token }
    }
    const elsewhere = verifyToken(hero, { audience: resource })
    const stop = await elsewhere.follow()
    for (const [what, end] of Object.entries({
      consent: () => hero.consents.revoke({ user: 'grace', client: 'app' }),
      password: () => hero.auth.set_password({ user: 'grace', password: goodPassword }),
      'deactivation and reactivation': async () => {
        await hero.users.update({ username: 'grace', is_active: false })
        await hero.users.update({ username: 'grace', is_active: true })
      },
    })) {
      // Revocation covers tokens issued within the same second.
      await setTimeout(1100)
      const { as, token } = await issue()
      await end()
      await refused(as.auth.me(), 'unauthenticated').catch((error: Error) => assert.fail(`${what}: ${error}`))
      // Offline verifiers learn about accounts that changed hands, and not about consents.
      if (what === 'consent') continue
      await setTimeout(1000)
      await assert.rejects(elsewhere(token), Unauthenticated, what)
    }
    stop()
  })

  test('a token of a local service ends with it, and is not valid for a later service of the same name', async () => {
    const { hero } = stage.daemon
    const add = (unix_user: string, claims: string[]) =>
      hero.services.add({ service: 'games', unix_user, claims })
    await add('54321', [])
    const issue = async () => hero.as((await hero.token.create({ service: 'games' })).access_token)
    const first = await issue()
    assert.equal((await first.auth.me()).user, 'games')
    await hero.services.update({ service: 'games', unix_user: '54322' })
    await refused(first.auth.me(), 'unauthenticated')
    await setTimeout(1100)
    const second = await issue()
    await hero.services.update({ service: 'games', claims: ['a.b'] })
    assert.deepEqual((await second.auth.me()).claims, ['a.b'])
    await hero.services.remove({ service: 'games' })
    await add('54323', ['proxy.admin'])
    await refused(second.auth.me(), 'unauthenticated')
  })
})
