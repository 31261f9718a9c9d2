import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { App, atCallback, callback, pkce } from '../support/openid_stage.ts'
import { startOidcPeer, type OidcPeer } from '../support/openid_peer.ts'
import { Person } from '../support/person.ts'
import { comeBy, cookieNames, startRelying, whoIs, type Stage } from '../support/provider_stage.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

const [remembers, session] = ['__Host-hero_proxy_signed_out', '__Host-hero_proxy_session']
const bye = `${callback}/bye`

describe('a sign-out that an application asks for', () => {
  let stage: Stage
  let peer: OidcPeer
  let upstream: Upstream
  let wiki: string
  before(async () => {
    stage = await startRelying()
    peer = await startOidcPeer(stage.origin)
    upstream = await startUpstream()
    const { hero } = stage
    const preset = { preset: 'oidc', issuer: peer.issuer, title: 'The peer' } as const
    await hero.providers.add({ own_callback: true, provider: 'peer', ...preset, ...peer.client })
    peer.accounts.set('7', { email: 'grace@example.org', email_verified: true, preferred_username: 'gr' })
    await hero.users.identities.add({ user: 'grace', provider: 'peer', subject: '7' })
    const domain = 'wiki.localhost'
    await hero.proxy.routes.add({ domain, target: upstream.target, auth_mode: 'local' })
    wiki = `http://${domain}:${stage.daemon.edge.port}/`
    const client = { anyone: true, name: 'App', client: 'app', first_party: true, redirect_uris: [callback] }
    await hero.clients.add({ ...client, post_logout_redirect_uris: [bye] })
  })
  after(async () => {
    await upstream?.close()
    await peer?.close()
    await stage?.[Symbol.asyncDispose]()
  })

  /** Signed in by the provider, which remembers the person, and at the wiki unless told otherwise. */
  const arrived = async (opens = true) => {
    const person = new Person(atCallback)
    await comeBy(person, stage, 'peer', '7')
    if (opens) assert.equal((await person.open(wiki)).url.href, wiki)
    return person
  }
  const ask = (person: Person, to: Record<string, string>) => {
    const url = new URL('/oauth/logout', stage.origin)
    url.search = String(new URLSearchParams({ client_id: 'app', ...to }))
    return person.open(url)
  }
  /** Where a page leads on to after it has shown its pictures. */
  const onwardIn = (text: string) => /content="1; url=([^"]+)"/.exec(text)?.[1]
  const backToApp = { post_logout_redirect_uri: bye, state: 's' }
  const confirm = async (
    person: Person,
    to: Record<string, string>,
    answer: Record<string, string> = { logout: 'yes' },
  ) => person.submit(await ask(person, to), '/oauth/logout/confirm', answer)

  test('removes the dead cookies of services, and leads back to the application', async () => {
    const person = await arrived()
    const answer = await confirm(person, backToApp)
    assert.match(answer.text, new RegExp(`<img src="${wiki}\\.hero_proxy/signed_out"`))
    assert.equal(onwardIn(answer.text), `${bye}?state=s`)
    assert.match(answer.headers.get('content-security-policy')!, /img-src [^;]*wiki\.localhost/)
  })

  test('takes the cookie of home away and keeps a lone provider from signing the person in again', async () => {
    for (const [opens, to, end] of [
      [true, backToApp, `${bye}?state=s`],
      [false, backToApp, `${bye}?state=s`],
      [true, {}, `${stage.origin}/oauth/logout/success`],
      [false, {}, `${stage.origin}/oauth/logout/success`],
    ] as const) {
      const person = await arrived(opens)
      const { url, text } = await confirm(person, to)
      assert.equal(opens ? onwardIn(text) : url.href, end)
      const names = cookieNames(person, stage.origin)
      assert.deepEqual([names.includes(session), names.includes(remembers)], [false, true], end)
      const again = await person.open(`${stage.origin}/login?next=/auth/me`)
      assert.ok(again.url.href.startsWith(stage.origin), again.url.href)
      assert.equal(await whoIs(person, stage.origin), undefined)
    }
  })

  test('asks for another account: the dead cookies of services go as well', async () => {
    const person = await arrived()
    const app = new App(stage.origin, { client: 'app', client_secret: null })
    const asks = await person.open(app.authorizeUrl({ ...pkce().challenge, prompt: 'select_account' }))
    const between = await person.submit(asks, '/auth/consent/', { answer: 'switch' })
    assert.match(between.text, new RegExp(`<img src="${wiki}\\.hero_proxy/signed_out"`))
    assert.match(onwardIn(between.text)!, /\/auth\/login\?return_to=%2Fauth%2Fconsent/)
    const names = cookieNames(person, stage.origin)
    assert.deepEqual([names.includes(session), names.includes(remembers)], [false, true])
  })

  test('changes nothing for a person who stays signed in', async () => {
    const person = await arrived()
    await confirm(person, backToApp, {})
    const names = cookieNames(person, stage.origin)
    assert.deepEqual([names.includes(session), names.includes(remembers)], [true, false])
    assert.equal(await whoIs(person, stage.origin), 'grace')
  })
})
