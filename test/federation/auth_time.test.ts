import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { goodPassword } from '../support/daemon.ts'
import { codeOf, enrol } from '../support/factors.ts'
import { byHand } from '../support/people.ts'
import { Person } from '../support/person.ts'
import { refused } from '../support/refused.ts'
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

/** Returns whether the session counts as a fresh proof: a call that needs one fails with another error if so. */
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

/** Returns the links of a page. */
const linksOf = ({ text }: Page): string[] =>
  [...text.matchAll(/href="([^"]*)"/g)].map(([, href]) => href!.replaceAll('&amp;', '&'))

const ageProofs = (stage: Stage, by: number) =>
  byHand(stage.daemon, async (database) => {
    await database.query
      .updateTable('sessions')
      .set(({ eb }) => ({ proven_at: eb('proven_at', '-', by) }))
      .execute()
    database.changed('sessions')
  })

describe('a fresh proof by a provider that reports auth_time', () => {
  test('a session at the provider signs in without a fresh proof, and a new authentication is one', async () => {
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
    assert.equal(again.url.href, `${origin}/auth/me`, 'the peer did not ask for a password')
    assert.equal(await isFresh(person, origin), false)

    const question = await person.follow(await person.open(`${origin}/auth/security`), '/auth/account/unlink')
    const asks = await person.submit(question, '/auth/account/unlink', {})
    assert.equal(asks.url.pathname, '/auth/prove')
    const ways = linksOf(asks)
    assert.ok(ways.includes('/auth/reset') && ways.some((way) => way.startsWith('/auth/magic')), asks.text)
    const there = await person.submit(asks, '/auth/prove', { provider: 'peer' })
    assert.equal(there.url.origin, peer.issuer, 'the peer asks again')
    const back = await person.submit(there, '/who/', { sub: '1' })
    assert.equal(back.url.href, question.url.href, back.text)
    assert.equal(await isFresh(person, origin), true)
    await ageProofs(stage, 901)
    assert.equal(await isFresh(person, origin), false)
  })

  test('another hero_proxy reports auth_time', async () => {
    await using stage = await startRelying()
    const { daemon: other, issuer } = await startProvider()
    try {
      const { client_secret } = await other.hero.clients.add({
        anyone: true,
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
      assert.equal(await isFresh(person, origin), true, 'its ID tokens always say when')
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

describe('a fresh proof by a provider with a wrong auth_time or none', () => {
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
  const reportAuthTime = (auth_time: unknown) =>
    hostile.misbehave({ claims: (claims) => ({ ...claims, ...(auth_time !== undefined && { auth_time }) }) })
  const signIn = async (auth_time: unknown, prompt = '', person = new Person()) => {
    reportAuthTime(auth_time)
    return { person, page: await person.open(`${stage.origin}/login?provider=peer${prompt}&next=/auth/me`) }
  }

  test('without prompt=login, auth_time decides whether the proof is fresh', async () => {
    for (const [auth_time, fresh] of [
      [undefined, false],
      [now() - 5, true],
      [now() - 5.5, true],
      [now() - 1000, false],
      [now() + 3600, false],
      [0, false],
    ] as const) {
      const { person } = await signIn(auth_time)
      assert.equal(await whoIs(person, stage.origin), 'grace', String(auth_time))
      assert.equal(await isFresh(person, stage.origin), fresh, String(auth_time))
    }
    // The proof was five seconds old, so it expires that much earlier.
    const { person } = await signIn(now() - 890)
    assert.equal(await isFresh(person, stage.origin), true)
    await ageProofs(stage, 11)
    assert.equal(await isFresh(person, stage.origin), false)
  })

  test('a missing or old auth_time after prompt=login shows an error and leaves the session unchanged', async () => {
    for (const auth_time of [undefined, now() - 60, now() + 3600, 0]) {
      const { person } = await signIn(undefined)
      const before = sessionOf(person)
      const { page } = await signIn(auth_time, '&prompt=login', person)
      assert.equal(page.status, 403, String(auth_time))
      assert.match(page.text, /The peer didn’t ask who you are/)
      assert.ok(linksOf(page).includes('/auth/prove?return_to=%2Fauth%2Fme'), page.text)
      assert.equal(sessionOf(person), before)
      assert.equal(await whoIs(person, stage.origin), 'grace')
      assert.equal(await isFresh(person, stage.origin), false)
    }
    assert.ok((await auditLines(stage)).includes('auth.login_by_provider provider=peer unproven'))
    const authorization = hostile.seen.find(({ endpoint }) => endpoint === 'authorize')
    assert.deepEqual(
      [authorization!.params.get('prompt'), authorization!.params.get('max_age')],
      ['login', '0'],
    )
  })

  test('prompt=select_account lets the person choose an account there, and asks for no fresh proof', async () => {
    const { person } = await signIn(undefined, '&prompt=select_account')
    const authorization = hostile.seen.findLast(({ endpoint }) => endpoint === 'authorize')
    assert.deepEqual(
      [authorization!.params.get('prompt'), authorization!.params.get('max_age')],
      ['select_account', null],
    )
    assert.equal(await isFresh(person, stage.origin), false)
  })

  test('a few seconds of clock skew are tolerated', async () => {
    const { person } = await signIn(undefined)
    await signIn(now() - 10, '&prompt=login', person)
    assert.equal(await isFresh(person, stage.origin), true)
  })

  test('an auth_time that is not a number gives no fresh proof', async () => {
    for (const auth_time of ['1', null, [now()], {}]) {
      const { person } = await signIn(auth_time)
      const who = await whoIs(person, stage.origin)
      if (who !== undefined) assert.equal(await isFresh(person, stage.origin), false)
    }
  })

  const proofsOf = async (claims: object, person = new Person()) => {
    hostile.misbehave({ claims: (told) => ({ ...told, ...claims }) })
    await person.open(`${stage.origin}/login?provider=peer&next=/auth/me`)
    assert.equal(await whoIs(person, stage.origin), 'grace')
    return newest()
  }
  /** The proofs of the newest sign-in, in seconds ago. */
  const newest = () =>
    byHand(stage.daemon, async ({ query }) => {
      const row = await query
        .selectFrom('sessions')
        .select(['proven_at', 'second_at', 'passkey_at'])
        .orderBy('created_at', 'desc')
        .orderBy('id', 'desc')
        .executeTakeFirstOrThrow()
      const ago = (time: number) => (time === 0 ? null : now() - time)
      return { proven: ago(row.proven_at), second: ago(row.second_at), passkey: ago(row.passkey_at) }
    })

  test('what a provider says is a second factor only for the values of that provider, at its auth_time', async () => {
    const { hero } = stage
    const auth_time = now() - 100
    const none = await proofsOf({ auth_time, amr: ['mfa'], acr: 'gold' })
    assert.equal(none.second, null, 'no value counts by default')
    await hero.providers.update({ provider: 'peer', second_factor_values: ['mfa', 'gold'] })
    for (const claims of [{ amr: ['pwd', 'mfa'] }, { acr: 'gold' }, { amr: [1, null, 'mfa'] }]) {
      const { proven, second, passkey } = await proofsOf({ auth_time, ...claims })
      assert.deepEqual([second, passkey], [proven, null], JSON.stringify(claims))
      assert.ok(second! >= 100 && second! < 130)
    }
    for (const claims of [
      { amr: 'mfa' },
      { amr: { mfa: 'mfa' } },
      { amr: ['MFA', 'mfa ', ['mfa']] },
      { acr: ['gold'] },
      { acr: 'gold mfa' },
      { amr: ['pwd'], acr: 1 },
    ])
      assert.equal((await proofsOf({ auth_time, ...claims })).second, null, JSON.stringify(claims))
    // Without a time, or with one in the future, nothing was proved at a known time.
    for (const time of [undefined, now() + 3600])
      assert.equal((await proofsOf({ auth_time: time, amr: ['mfa'] })).second, null, String(time))
    assert.ok((await proofsOf({ auth_time: now() + 10, amr: ['mfa'] })).second! >= 0, 'cut to our date')
    // Another provider's values are nothing to this one.
    await hero.providers.update({ provider: 'peer', second_factor_values: ['gold'] })
    await hero.providers.add({
      provider: 'other',
      preset: 'oidc',
      issuer: 'http://127.0.0.1:9/other',
      client: 'x',
      second_factor_values: ['mfa'],
    })
    assert.equal((await proofsOf({ auth_time, amr: ['mfa'] })).second, null)
    await hero.providers.remove({ provider: 'other' })
  })

  test('a provider that saw a second factor adds it to an open sign-in, and is offered for it', async () => {
    const { hero, origin } = stage
    await hero.providers.update({ provider: 'peer', second_factor_values: ['mfa'] })
    const person = new Person()
    assert.equal((await proofsOf({ auth_time: now() - 50, amr: ['pwd'] }, person)).second, null)
    const asked = await person.open(`${origin}/auth/prove?proof=second&return_to=/auth/me`)
    assert.ok(linksOf(asked).includes('/login?provider=peer&prompt=login&next=%2Fauth%2Fme'), asked.text)
    hostile.misbehave({ claims: (told) => ({ ...told, auth_time: now(), amr: ['mfa'] }) })
    await person.open(`${origin}/login?provider=peer&prompt=login&next=/auth/me`)
    assert.ok((await newest()).second! < 30)
    // A later sign-in there without it takes nothing away, and makes it no fresher.
    hostile.misbehave({ claims: (told) => ({ ...told, auth_time: now(), amr: ['pwd'] }) })
    const before = await newest()
    await person.open(`${origin}/login?provider=peer&next=/auth/me`)
    assert.ok((await newest()).second! >= before.second!)
    const [passkey, nobody] = await Promise.all([
      person.open(`${origin}/auth/prove?proof=passkey&return_to=/auth/me`),
      hero.providers.update({ provider: 'peer', second_factor_values: [] }),
    ])
    assert.deepEqual(nobody.second_factor_values, [])
    assert.ok(!linksOf(passkey).some((to) => to.startsWith('/login')))
    const without = await person.open(`${origin}/auth/prove?proof=second&return_to=/auth/me`)
    assert.ok(!linksOf(without).some((to) => to.startsWith('/login')))
  })

  test('a provider without OpenID Connect says nothing of factors, so it takes no such values', async () => {
    const fields = { client: 'x', client_secret: 's', second_factor_values: ['mfa'] }
    await refused(
      stage.hero.providers.add({ provider: 'code', preset: 'github', ...fields }),
      'invalid_params',
      'second_factor_values',
    )
  })

  test('our ID tokens do not report a fresh authentication that the provider did not report', async () => {
    const { hero, origin } = stage
    const client = await hero.clients.add({
      anyone: true,
      client: 'app',
      name: 'App',
      first_party: true,
      redirect_uris: ['http://localhost:4999/callback'],
    })
    const app = new App(origin, client)
    const person = newPerson()
    reportAuthTime(undefined)
    await person.open(`${origin}/login?provider=peer`)
    assert.ok(await whoIs(person, origin))
    for (const ask of [{ max_age: '600' }, { prompt: 'login' }]) {
      const { url } = await person.open(app.authorizeUrl({ ...pkce().challenge, ...ask }))
      assert.equal(url.pathname, '/auth/prove', JSON.stringify(ask))
    }
    reportAuthTime(now() - 5)
    await person.open(`${origin}/login?provider=peer`)
    const { body } = await app.tokens(person, 'grace', { max_age: '600' })
    assert.ok(Math.abs(Number(payloadOf(body.id_token).auth_time) - (now() - 5)) < 5)
  })
})

test('plain OAuth 2.0 gives no fresh proof and is not offered for one', async () => {
  await using stage = await startRelying()
  await using forge = await startForge('github')
  const { hero, origin } = stage
  await hero.providers.add({ own_callback: true, provider: 'forge', title: 'Forge', ...forge.fields })
  forge.accounts.set('octo', { id: 1, login: 'octo', name: null, email: null, emails: [] })
  await hero.users.identities.add({ user: 'grace', provider: 'forge', subject: '1' })
  const person = new Person()
  const signIn = async (prompt = '') =>
    person.submit(await person.open(`${origin}/login?provider=forge${prompt}`), '/login/oauth/authorize', {
      login: 'octo',
    })
  await signIn()
  assert.equal(await whoIs(person, origin), 'grace')
  assert.equal(await isFresh(person, origin), false)
  const form = await person.open(`${origin}/auth/prove`)
  assert.deepEqual(
    linksOf(form).filter((way) => way.startsWith('/login')),
    [],
  )
  assert.equal((await signIn('&prompt=login')).status, 403)
  assert.equal(await isFresh(person, origin), false)
  const proven = await person.submit(form, '/auth/prove', { password: goodPassword })
  assert.equal(proven.status, 200)
  assert.equal(await isFresh(person, origin), true)
})

test('a person with a plain OAuth 2.0 identity alone is referred to an administrator, and can use the password set', async () => {
  await using stage = await startRelying({})
  await using forge = await startForge('github')
  const { hero, origin } = stage
  await hero.settings.set({ key: 'magic_links', value: true })
  const fields = { own_callback: true, provider: 'forge', allow_signup: true } as const
  await hero.providers.add({ ...fields, ...forge.fields })
  forge.accounts.set('bare', { id: 7, login: 'bare', name: null, email: null, emails: [] })
  const person = new Person()
  const signIn = async () =>
    person.submit(await person.open(`${origin}/login?provider=forge`), '/login/oauth/authorize', {
      login: 'bare',
    })
  await signIn()
  assert.equal(await whoIs(person, origin), 'bare')
  const form = await person.open(`${origin}/auth/prove?return_to=/auth/me`)
  assert.match(form.text, /An administrator can set one for you/)
  assert.deepEqual(
    linksOf(form).filter((way) => /reset|magic|^\/login/.test(way)),
    [],
    'nothing that needs an email address, which the account lacks',
  )
  await hero.auth.set_password({ user: 'bare', password: goodPassword })
  assert.equal(await whoIs(person, origin), undefined)
  await signIn()
  assert.equal(await isFresh(person, origin), false)
  const page = await person.open(`${origin}/auth/prove?return_to=/auth/me`)
  const proven = await person.submit(page, '/auth/prove', { password: goodPassword })
  assert.equal(proven.url.href, `${origin}/auth/me`, proven.text)
  assert.equal(await isFresh(person, origin), true)
})

test('a mailed link continues to the requested page in the browser that asked for it', async () => {
  await using stage = await startRelying({})
  await using smtp = await startSmtp()
  await useServer(stage.daemon, smtp)
  const { hero, origin } = stage
  await hero.settings.set({ key: 'magic_links', value: true })
  // Uses one person for each mail, because an address may receive few mails of a kind.
  let count = 0
  const ask = async (person: Person, returnTo: string, username = `reader-${++count}`) => {
    const email = `${username}@example.org`
    if (username.startsWith('reader')) await hero.users.add({ username, email })
    const page = await person.open(`${origin}/auth/magic?return_to=${encodeURIComponent(returnTo)}`)
    const sent = await person.submit(page, '/auth/magic', { email })
    assert.match(sent.text, /Check your email/)
    return linkIn(await smtp.mailTo(email, /^Sign in to/))
  }
  /** Answers, if asked, that the person takes the place of the one who is signed in. Returns the address. */
  const replacing = async (person: Person, page: Page) =>
    page.text.includes('"/auth/replace"')
      ? (await person.submit(page, '/auth/replace', { answer: 'replace' })).url.href
      : page.url.href
  const follow = async (person: Person, link: string) =>
    replacing(person, await person.submit(await person.open(link), '/auth/magic', {}))

  const [person, other] = [new Person(), new Person()]
  const first = await ask(person, '/auth/me?after=mail')
  assert.equal(new URL(first).searchParams.size, 1, 'the destination is not part of the link')
  assert.equal(await follow(person, first), `${origin}/auth/me?after=mail`)
  assert.ok(!cookieNames(person, origin).some((name) => name.includes('onward')), 'the cookie is used once')
  const second = await ask(person, '/auth/me?after=mail')
  assert.equal(await follow(other, second), `${origin}/`)
  for (const away of [
    'https://evil.test/',
    '//evil.test',
    '/\\evil.test',
    '/%2f/evil.test',
    '/a;b="c",d',
    `/${'a'.repeat(3500)}`,
  ]) {
    const href = await follow(person, await ask(person, away))
    assert.ok(href === `${origin}/`, `${away} led to ${href}`)
  }

  const secret = await enrol(
    hero.as((await hero.auth.login({ login: 'grace', password: goodPassword })).access_token),
  )
  const link = await ask(person, '/auth/me?after=factor', 'grace')
  const step = await person.submit(await person.open(link), '/auth/magic', {})
  assert.match(step.text, /One more step/)
  const done = await person.submit(step, '/auth/factor', { code: codeOf(secret, 1) })
  assert.equal(await replacing(person, done), `${origin}/auth/me?after=factor`)
})
