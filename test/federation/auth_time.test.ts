import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { goodPassword } from '../support/daemon.ts'
import { codeOf, enrol } from '../support/factors.ts'
import { byHand } from '../support/people.ts'
import { Person } from '../support/person.ts'
import { linkIn, startSmtp, useServer } from '../support/smtp.ts'
import { App, newPerson, payloadOf, pkce, startProvider } from '../support/openid_stage.ts'
import { startHostileProvider, type HostileProvider } from '../support/hostile_provider.ts'
import { startForge } from './forge_peer.ts'
import { startOidcPeer } from '../support/openid_peer.ts'
import {
  comeBy,
  cookieNames,
  auditLines,
  startRelying,
  whoIs,
  type Page,
  type Stage,
} from '../support/provider_stage.ts'

const now = () => Math.floor(Date.now() / 1000)

/** Whether what takes a fresh proof takes this browser's session: what is asked for comes to nothing either way. */
const isFresh = async (person: Person, origin: string): Promise<boolean> => {
  const { text } = await person.open(`${origin}/rpc`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', origin },
    body: '{"jsonrpc":"2.0","id":1,"method":"users.identities.link","params":{"link":"of nobody"}}',
  })
  const { code } = (JSON.parse(text) as { error: { data: { code: string } } }).error.data
  assert.ok(code === 'proof_required' || code === 'not_found', text)
  return code === 'not_found'
}

/** The page that asks for a proof, and where its ways lead. */
const waysOf = ({ text }: Page): string[] =>
  [...text.matchAll(/href="([^"]*)"/g)].map(([, href]) => href!.replaceAll('&amp;', '&'))

const grow = (stage: Stage, by: number) =>
  byHand(stage.daemon, async (database) => {
    await database.query
      .updateTable('sessions')
      .set(({ eb }) => ({ proven_at: eb('proven_at', '-', by) }))
      .execute()
    database.changed('sessions')
  })

describe('a fresh proof by a provider that tells when it asked', () => {
  test('a living session there opens one here and proves nothing; being asked anew does', async () => {
    await using stage = await startRelying()
    await using peer = await startOidcPeer(stage.origin)
    const { hero, origin } = stage
    const fields = {
      provider: 'peer',
      preset: 'oidc',
      issuer: peer.issuer,
      title: 'The peer',
      ...peer.client,
    } as const
    await hero.providers.add({ own_callback: true, allow_signup: true, ...fields })
    peer.accounts.set('1', { email: 'bare@example.org', email_verified: true, preferred_username: 'bare' })
    await hero.settings.set({ key: 'magic_links', value: true })
    const person = new Person()
    await comeBy(person, stage, 'peer', '1')
    assert.equal(await whoIs(person, origin), 'bare')
    assert.equal(await isFresh(person, origin), false)
    const again = await person.open(`${origin}/login?provider=peer&next=/auth/me`)
    assert.equal(again.url.href, `${origin}/auth/me`, 'the peer asked nobody')
    assert.equal(await isFresh(person, origin), false)

    const asks = await person.submit(again, '/auth/account/unlink', {})
    assert.equal(asks.url.pathname, '/auth/prove')
    const ways = waysOf(asks)
    assert.ok(ways.includes('/auth/reset') && ways.some((way) => way.startsWith('/auth/magic')), asks.text)
    const there = await person.open(
      new URL(
        ways.find((way) => way.startsWith('/login?'))!,
        origin,
      ),
    )
    assert.equal(there.url.origin, peer.issuer, 'the peer asks')
    const back = await person.submit(there, '/who/', { sub: '1' })
    assert.equal(back.url.href, `${origin}/auth/me`, back.text)
    assert.equal(await isFresh(person, origin), true)
    await grow(stage, 901)
    assert.equal(await isFresh(person, origin), false)
  })

  test('another hero_proxy is such a one', async () => {
    await using stage = await startRelying()
    const { daemon: other, issuer } = await startProvider()
    try {
      const { client_secret } = await other.hero.clients.add({
        client: 'first',
        name: 'The first',
        first_party: true,
        redirect_uris: [`${stage.origin}/oauth/callback/other`],
      })
      const { hero, origin } = stage
      const fields = { provider: 'other', preset: 'hero_proxy', issuer, client: 'first' } as const
      await hero.providers.add({ own_callback: true, ...fields, client_secret: client_secret! })
      const { id: subject } = await other.hero.users.get({ username: 'grace' })
      await hero.users.identities.add({ user: 'grace', provider: 'other', subject })
      const person = new Person()
      await person.signIn(await person.open(`${origin}/login?provider=other`), 'grace', goodPassword)
      assert.equal(await whoIs(person, origin), 'grace')
      assert.equal(await isFresh(person, origin), false)
      await new Promise((resolve) => setTimeout(resolve, 1100))
      const asks = await person.open(`${origin}/login?provider=other&prompt=login&next=/auth/me`)
      assert.equal(asks.url.pathname, '/auth/prove', asks.text)
      assert.equal(asks.url.origin, issuer)
      const back = await person.submit(asks, '/auth/prove', { password: goodPassword })
      assert.equal(back.url.href, `${origin}/auth/me`, back.text)
      assert.equal(await isFresh(person, origin), true)
    } finally {
      await other[Symbol.asyncDispose]()
    }
  })
})

describe('a fresh proof by a provider that lies, or tells nothing', () => {
  let stage: Stage
  let hostile: HostileProvider
  before(async () => {
    stage = await startRelying()
    hostile = await startHostileProvider()
    const fields = {
      preset: 'oidc',
      issuer: hostile.issuer,
      title: 'The peer',
      client: 'hero',
      client_secret: 's',
    } as const
    await stage.hero.providers.add({ own_callback: true, provider: 'peer', ...fields })
    await stage.hero.users.identities.add({ user: 'grace', provider: 'peer', subject: '1' })
  })
  after(async () => {
    await hostile?.close()
    await stage?.[Symbol.asyncDispose]()
  })
  const sessionOf = (person: Person) =>
    /hero_proxy_session=[^;]+/.exec(person.cookiesAt(new URL(stage.origin)))![0]
  const telling = (auth_time: unknown) =>
    hostile.misbehave({ claims: (claims) => ({ ...claims, ...(auth_time !== undefined && { auth_time }) }) })
  const come = async (auth_time: unknown, prompt = '', person = new Person()) => {
    telling(auth_time)
    return { person, page: await person.open(`${stage.origin}/login?provider=peer${prompt}&next=/auth/me`) }
  }

  test('without having been asked, what it tells is when the person was there', async () => {
    for (const [auth_time, fresh] of [
      [undefined, false],
      [now() - 5, true],
      [now() - 5.5, true],
      [now() - 1000, false],
      [now() + 3600, false],
      [0, false],
    ] as const) {
      const { person } = await come(auth_time)
      assert.equal(await whoIs(person, stage.origin), 'grace', String(auth_time))
      assert.equal(await isFresh(person, stage.origin), fresh, String(auth_time))
    }
    // Five seconds ago is not now: it runs out earlier.
    const { person } = await come(now() - 890)
    assert.equal(await isFresh(person, stage.origin), true)
    await grow(stage, 11)
    assert.equal(await isFresh(person, stage.origin), false)
  })

  test('asked and not told, or told of long ago: nothing changes, and the person is told', async () => {
    for (const auth_time of [undefined, now() - 60, now() + 3600, 0]) {
      const { person } = await come(undefined)
      const before = sessionOf(person)
      const { page } = await come(auth_time, '&prompt=login', person)
      assert.equal(page.status, 403, String(auth_time))
      assert.match(page.text, /The peer didn’t ask who you are/)
      assert.ok(waysOf(page).includes('/auth/prove?return_to=%2Fauth%2Fme'), page.text)
      assert.equal(sessionOf(person), before)
      assert.equal(await whoIs(person, stage.origin), 'grace')
      assert.equal(await isFresh(person, stage.origin), false)
    }
    assert.ok((await auditLines(stage)).includes('auth.login_by_provider provider=peer unproven'))
    const asked = hostile.seen.find(({ endpoint }) => endpoint === 'authorize')
    assert.deepEqual([asked!.params.get('prompt'), asked!.params.get('max_age')], ['login', '0'])
  })

  test('a clock that is a little slow is excused', async () => {
    const { person } = await come(undefined)
    await come(now() - 10, '&prompt=login', person)
    assert.equal(await isFresh(person, stage.origin), true)
  })

  test('what it tells that is no number is told by nobody', async () => {
    for (const auth_time of ['1', null, [now()], {}]) {
      const { person } = await come(auth_time)
      const who = await whoIs(person, stage.origin)
      if (who !== undefined) assert.equal(await isFresh(person, stage.origin), false)
    }
  })

  test('an ID token of ours does not say that whoever it let pass has just proven themselves', async () => {
    const { hero, origin } = stage
    const client = await hero.clients.add({
      client: 'app',
      name: 'App',
      first_party: true,
      redirect_uris: ['http://localhost:4999/callback'],
    })
    const app = new App(origin, client)
    const person = newPerson()
    telling(undefined)
    await person.open(`${origin}/login?provider=peer`)
    assert.ok(await whoIs(person, origin))
    for (const ask of [{ max_age: '600' }, { prompt: 'login' }]) {
      const { url } = await person.open(app.authorizeUrl({ ...pkce().challenge, ...ask }))
      assert.equal(url.pathname, '/auth/prove', JSON.stringify(ask))
    }
    telling(now() - 5)
    await person.open(`${origin}/login?provider=peer`)
    const { body } = await app.tokens(person, 'grace', { max_age: '600' })
    assert.ok(Math.abs(Number(payloadOf(body.id_token).auth_time) - (now() - 5)) < 5)
  })
})

test('plain OAuth 2.0 never proves more than a session, and is not offered for it', async () => {
  await using stage = await startRelying()
  await using forge = await startForge('github')
  const { hero, origin } = stage
  await hero.providers.add({ own_callback: true, provider: 'forge', title: 'Forge', ...forge.fields })
  forge.accounts.set('octo', { id: 1, login: 'octo', name: null, email: null, emails: [] })
  await hero.users.identities.add({ user: 'grace', provider: 'forge', subject: '1' })
  const person = new Person()
  const come = async (prompt = '') =>
    person.submit(await person.open(`${origin}/login?provider=forge${prompt}`), '/login/oauth/authorize', {
      login: 'octo',
    })
  await come()
  assert.equal(await whoIs(person, origin), 'grace')
  assert.equal(await isFresh(person, origin), false)
  const asks = await person.open(`${origin}/auth/prove`)
  assert.deepEqual(
    waysOf(asks).filter((way) => way.startsWith('/login')),
    [],
  )
  assert.equal((await come('&prompt=login')).status, 403)
  assert.equal(await isFresh(person, origin), false)
  const proven = await person.submit(asks, '/auth/prove', { password: goodPassword })
  assert.equal(proven.status, 200)
  assert.equal(await isFresh(person, origin), true)
})

test('whoever has nothing but such an account is told that an administrator helps, and gets on with what they give', async () => {
  await using stage = await startRelying({})
  await using forge = await startForge('github')
  const { hero, origin } = stage
  await hero.settings.set({ key: 'magic_links', value: true })
  const fields = { own_callback: true, provider: 'forge', allow_signup: true } as const
  await hero.providers.add({ ...fields, ...forge.fields })
  forge.accounts.set('bare', { id: 7, login: 'bare', name: null, email: null, emails: [] })
  const person = new Person()
  const come = async () =>
    person.submit(await person.open(`${origin}/login?provider=forge`), '/login/oauth/authorize', {
      login: 'bare',
    })
  await come()
  assert.equal(await whoIs(person, origin), 'bare')
  const asks = await person.open(`${origin}/auth/prove?return_to=/auth/me`)
  assert.match(asks.text, /An administrator can set one for you/)
  assert.deepEqual(
    waysOf(asks).filter((way) => /reset|magic|^\/login/.test(way)),
    [],
    'nothing that comes by mail, which they have not',
  )
  await hero.auth.set_password({ user: 'bare', password: goodPassword })
  assert.equal(await whoIs(person, origin), undefined)
  await come()
  assert.equal(await isFresh(person, origin), false)
  const page = await person.open(`${origin}/auth/prove?return_to=/auth/me`)
  const proven = await person.submit(page, '/auth/prove', { password: goodPassword })
  assert.equal(proven.url.href, `${origin}/auth/me`, proven.text)
  assert.equal(await isFresh(person, origin), true)
})

test('whoever proves themselves by a mailed link goes on where they wanted to, in the browser that asked for it', async () => {
  await using stage = await startRelying({})
  await using smtp = await startSmtp()
  await useServer(stage.daemon, smtp)
  const { hero, origin } = stage
  await hero.settings.set({ key: 'magic_links', value: true })
  // One person for each, as an address gets few mails of a kind.
  let count = 0
  const ask = async (person: Person, returnTo: string, username = `reader-${++count}`) => {
    const email = `${username}@example.org`
    if (username.startsWith('reader')) await hero.users.add({ username, email })
    const page = await person.open(`${origin}/auth/magic?return_to=${encodeURIComponent(returnTo)}`)
    const told = await person.submit(page, '/auth/magic', { email })
    assert.match(told.text, /Check your email/)
    return linkIn(await smtp.mailTo(email, /^Sign in to/))
  }
  const follow = async (person: Person, link: string) =>
    (await person.submit(await person.open(link), '/auth/magic', {})).url.href

  const [person, other] = [new Person(), new Person()]
  const first = await ask(person, '/auth/me?after=mail')
  assert.equal(new URL(first).searchParams.size, 1, 'nobody can choose where the links of others lead')
  assert.equal(await follow(person, first), `${origin}/auth/me?after=mail`)
  assert.ok(!cookieNames(person, origin).some((name) => name.includes('onward')), 'once')
  const second = await ask(person, '/auth/me?after=mail')
  assert.equal(await follow(other, second), `${origin}/auth/me`)
  for (const away of [
    'https://evil.test/',
    '//evil.test',
    '/\\evil.test',
    '/%2f/evil.test',
    '/a;b="c",d',
    `/${'a'.repeat(2000)}`,
  ]) {
    const href = await follow(person, await ask(person, away))
    assert.ok(href === `${origin}/auth/me`, `${away} led to ${href}`)
  }

  const secret = await enrol(
    hero.as((await hero.auth.login({ login: 'grace', password: goodPassword })).access_token),
  )
  const link = await ask(person, '/auth/me?after=factor', 'grace')
  const step = await person.submit(await person.open(link), '/auth/magic', {})
  assert.match(step.text, /One more step/)
  const done = await person.submit(step, '/auth/factor', { code: codeOf(secret, 1) })
  assert.equal(done.url.href, `${origin}/auth/me?after=factor`)
})
