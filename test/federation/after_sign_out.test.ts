import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { startOidcPeer, type OidcPeer } from '../support/openid_peer.ts'
import { Person } from '../support/person.ts'
import { comeBy, cookieNames, startRelying, whoIs, type Stage } from '../support/provider_stage.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

const remembers = '__Host-hero_proxy_signed_out'

describe('a lone provider after a sign-out', () => {
  let stage: Stage
  let peer: OidcPeer
  let upstream: Upstream
  let wiki: string
  before(async () => {
    stage = await startRelying()
    peer = await startOidcPeer(stage.origin)
    upstream = await startUpstream()
    const { hero } = stage
    await hero.providers.add({
      own_callback: true,
      provider: 'peer',
      preset: 'oidc',
      issuer: peer.issuer,
      title: 'The peer',
      ...peer.client,
    })
    peer.accounts.set('7', { email: 'grace@example.org', email_verified: true, preferred_username: 'gr' })
    await hero.users.identities.add({ user: 'grace', provider: 'peer', subject: '7' })
    wiki = `http://wiki.localhost:${stage.daemon.edge.port}/`
    await hero.proxy.routes.add({
      domain: 'wiki.localhost',
      target: upstream.target,
      auth_mode: 'oauth',
      provider: 'peer',
    })
  })
  after(async () => {
    await upstream?.close()
    await peer?.close()
    await stage?.[Symbol.asyncDispose]()
  })

  /** Signed in by the provider, which remembers the person, and at the wiki. */
  const arrived = async () => {
    const person = new Person()
    await comeBy(person, stage, 'peer', '7')
    assert.equal((await person.open(wiki)).url.href, wiki)
    return person
  }
  const leave = async (person: Person) =>
    person.submit(await person.open(`${stage.origin}/auth/logout`), '/auth/logout', {})
  const keeps = (person: Person) => cookieNames(person, stage.origin).includes(remembers)

  test('is taken at once by a guest', async () => {
    const person = new Person()
    const page = await person.open(`${stage.origin}/login?next=/auth/me`)
    assert.ok(page.url.href.startsWith(peer.issuer), page.url.href)
  })

  test('is not taken for ten minutes, neither at home nor for a route that wants it, but by its button', async () => {
    const person = await arrived()
    await leave(person)
    assert.ok(keeps(person))
    for (const address of [`${stage.origin}/login?next=/auth/me`, wiki]) {
      const page = await person.open(address)
      assert.deepEqual([page.status, page.url.pathname], [200, page.url.pathname])
      assert.ok(page.url.href.startsWith(stage.origin), page.url.href)
      assert.match(page.text, /name="provider" value="peer"/)
      assert.equal(await whoIs(person, stage.origin), undefined)
    }
    const back = await person.submit(await person.open(wiki), '/auth/login', { provider: 'peer' })
    assert.equal(back.url.href, wiki)
    assert.equal(await whoIs(person, stage.origin), 'grace')
    assert.ok(!keeps(person), 'signing in ends it')
  })

  test('asks which account to use after a switch, which clears the dead cookies of services too', async () => {
    const person = await arrived()
    const asks = await person.open(`${stage.origin}/auth/switch?return_to=/auth/me`)
    const between = await person.submit(asks, '/auth/switch', {})
    assert.match(between.text, new RegExp(`<img src="${wiki}\\.hero_proxy/signed_out"`))
    assert.match(between.headers.get('content-security-policy')!, /img-src [^;]*wiki\.localhost/)
    const page = await person.follow(between, '/auth/login')
    assert.match(page.text, /name="prompt" value="select_account"/)
    assert.equal(await whoIs(person, stage.origin), undefined)
    // Nor is it taken where another page leads to it.
    const stays = await person.open(`${stage.origin}/login?next=/auth/me`)
    assert.ok(stays.url.href.startsWith(stage.origin), stays.url.href)
  })
})
