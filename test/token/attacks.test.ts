import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { refused } from '../helpers/refused.ts'
import { callback, startProvider, type Provider } from '../oidc/stage.ts'

suite('whoever has some rights and tries for more', () => {
  let stage: Provider
  before(async () => {
    stage = await startProvider()
  })
  after(() => stage.daemon.close())

  test('who keeps clients makes no administrator of one, and takes over none that is', async () => {
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
          name: 'x',
          redirect_uris: [callback],
          first_party: true,
          scopes: ['openid', 'admin'],
        }),
      () => as.clients.update({ client: own, claims: ['proxy.admin', 'proxy.oauth.write'] }),
      () => as.clients.update({ client: other, name: 'Mine' }),
      // What it is left with does not count alone: what it had goes with it.
      () => as.clients.update({ client: other, claims: [], scopes: ['read'] }),
      () => as.clients.rotate_secret({ client: other }),
      () => as.clients.remove({ client: other }),
    ])
      assert.deepEqual((await refused(attempt(), 'claim_required')).data.claims, ['proxy.admin'])
    assert.deepEqual((await hero.clients.get({ client: other })).name, 'Master')
    // What takes no administrator is as free as before.
    const { client } = await as.clients.add({
      name: 'Plain',
      claims: ['deploy.run'],
      scopes: ['read', 'write'],
    })
    await as.clients.update({ client, name: 'Plainer' })
    await as.clients.rotate_secret({ client })
    await as.clients.remove({ client })
  })
})
