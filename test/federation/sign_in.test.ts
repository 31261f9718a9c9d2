import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { byHand } from '../support/people.ts'
import { Person } from '../support/person.ts'
import { startOidcPeer, type OidcPeer } from '../support/openid_peer.ts'
import {
  byPassword,
  comeBy,
  cookieNames,
  auditLines,
  startRelying,
  whoIs,
  type Stage,
} from '../support/provider_stage.ts'

describe('signing in with a third-party OpenID provider', () => {
  let stage: Stage
  let peer: OidcPeer
  before(async () => {
    stage = await startRelying()
    peer = await startOidcPeer(stage.origin)
    await stage.hero.providers.add({
      own_callback: true,
      provider: 'peer',
      preset: 'oidc',
      issuer: peer.issuer,
      title: 'The peer',
      ...peer.client,
    })
    peer.accounts.set('7', {
      email: 'grace@example.org',
      email_verified: true,
      preferred_username: 'gr',
      name: 'G.',
    })
    await stage.hero.users.identities.add({ user: 'grace', provider: 'peer', subject: '7' })
  })
  after(async () => {
    await peer?.close()
    await stage?.[Symbol.asyncDispose]()
  })

  test('providers.test reports no problem', async () => {
    const { ok, steps } = await stage.hero.providers.test({ provider: 'peer' })
    assert.ok(ok, JSON.stringify(steps))
  })

  test('the box on our own page keeps the sign-in, a link elsewhere does not, and a provider that joins leaves it kept', async () => {
    const home = new URL(stage.origin)
    const come = async (person: Person, site: string, remember = '1') => {
      const page = await person.open(
        `${stage.origin}/login?provider=peer&next=/auth/me&remember=${remember}`,
        {
          headers: { 'sec-fetch-site': site },
        },
      )
      if (page.url.pathname.startsWith('/who/')) await person.submit(page, '/who/', { sub: '7' })
      assert.equal(await whoIs(person, stage.origin), 'grace')
      return person.keeps('__Host-hero_proxy_session', home)
    }
    const person = new Person()
    assert.equal(await come(person, 'same-origin'), 180 * 86_400)
    assert.ok((await come(person, 'same-origin', ''))! > 179 * 86_400)
    assert.equal(await come(new Person(), 'same-site'), undefined)
    assert.equal(await come(new Person(), 'same-origin', ''), undefined)
  })

  test('a known subject is signed in and continues to the requested page', async () => {
    const person = new Person()
    const page = await comeBy(person, stage, 'peer', '7', '/auth/me?x=1')
    assert.equal(page.url.href, `${stage.origin}/auth/me?x=1`, page.text)
    assert.equal(await whoIs(person, stage.origin), 'grace')
    const { items } = await stage.hero.sessions.list({ user: 'grace' })
    assert.equal(items[0]!.provider, 'peer')
    assert.ok(!cookieNames(person, stage.origin).some((name) => name.includes('flow')), 'the flow is used up')
    assert.equal((await auditLines(stage))[0], 'auth.login_by_provider user=grace provider=peer ok')
    const { items: identities } = await stage.hero.users.identities.list({ user: 'grace' })
    assert.equal(identities[0]!.login, 'gr')
  })

  test('a new browser is recognised and reported, as after every other proof', async () => {
    const notices = () =>
      byHand(stage.daemon, async ({ query }) => {
        const rows = await query.selectFrom('mails').select('kind').where('kind', '=', 'new_device').execute()
        return rows.length
      })
    const before = await notices()
    const person = new Person()
    await comeBy(person, stage, 'peer', '7')
    assert.ok(cookieNames(person, stage.origin).includes('__Host-hero_proxy_device'))
    assert.equal(await notices(), before + 1)
    await person.submit(await person.open(`${stage.origin}/auth/logout`), '/auth/logout', {})
    await comeBy(person, stage, 'peer', '7')
    assert.equal(await whoIs(person, stage.origin), 'grace')
    assert.equal(await notices(), before + 1)
  })

  test('an unknown subject gets an error and no session', async () => {
    peer.accounts.set('8', { email: 'new@example.org', email_verified: true })
    const person = new Person()
    const page = await comeBy(person, stage, 'peer', '8')
    assert.equal(page.status, 403)
    assert.match(page.text, /You have no account here/)
    assert.equal(await whoIs(person, stage.origin), undefined)
  })

  test('a provider sign-in replaces that of another person in the same browser, if they agree', async () => {
    const person = new Person()
    await byPassword(person, stage.origin, 'ada')
    const asks = await comeBy(person, stage, 'peer', '7')
    assert.equal(await whoIs(person, stage.origin), 'ada')
    await person.submit(asks, '/auth/replace', { answer: 'replace' })
    assert.equal(await whoIs(person, stage.origin), 'grace')
    assert.equal((await stage.hero.sessions.list({ user: 'ada' })).items.length, 0)
  })
})
