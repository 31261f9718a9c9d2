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

  const kept = (person: Person) => person.keeps('__Host-hero_proxy_session', new URL(stage.origin))
  /** Presses the button of the provider, without scripts. */
  const pressed = async (person: Person, at: string, typed: Record<string, string> = {}) => {
    const signIn = await person.open(`${stage.origin}${at}`)
    const page = await person.submit(signIn, '/auth/login', { provider: 'peer', ...typed })
    return page.url.pathname.startsWith('/who/') ? person.submit(page, '/who/', { sub: '7' }) : page
  }

  test('the button belongs to the form with the box, which counts without scripts; a link never ticks it', async () => {
    const { text } = await new Person().open(`${stage.origin}/auth/login`)
    assert.match(
      text,
      /<button class="quiet" form="sign-in" name="provider" value="peer" formnovalidate>Sign in with The peer/,
    )
    const person = new Person()
    const page = await pressed(person, '/auth/login?return_to=/auth/me?x=1', {
      remember: '1',
      login: 'ada',
      password: 'not read',
    })
    assert.equal(page.url.href, `${stage.origin}/auth/me?x=1`)
    assert.equal(await whoIs(person, stage.origin), 'grace')
    assert.equal(kept(person), 180 * 86_400)
    // The provider vouches again, without the box: what the person asked for stays.
    await comeBy(person, stage, 'peer', '7')
    assert.ok(kept(person)! > 179 * 86_400)
    const plain = new Person()
    await pressed(plain, '/auth/login')
    assert.equal(await whoIs(plain, stage.origin), 'grace')
    assert.equal(kept(plain), undefined)
    const led = new Person()
    await comeBy(led, stage, 'peer', '7', '/auth/me&remember=1')
    const link = await led.open(`${stage.origin}/login?provider=peer&next=/auth/me&remember=1`, {
      headers: { 'sec-fetch-site': 'same-origin' },
    })
    assert.equal(link.url.pathname, '/auth/me')
    assert.equal(kept(led), undefined)
  })

  test('a form of home gets no redirect to a provider, but a page that goes on; one without its token goes nowhere', async () => {
    const form = { provider: 'peer', remember: '1' }
    const send = (person: Person, fields: Record<string, string>) =>
      person.open(`${stage.origin}/auth/login`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded', origin: stage.origin },
        body: new URLSearchParams(fields).toString(),
      })
    const here = new Person(({ origin }) => origin !== stage.origin)
    const signIn = await here.open(`${stage.origin}/auth/login`)
    const page = await here.submit(signIn, '/auth/login', form)
    assert.equal(page.url.origin, new URL(peer.issuer).origin)
    const form_token = / name="form_token" value="([^"]*)"/.exec(signIn.text)![1]!
    const answer = await fetch(`${stage.origin}/auth/login`, {
      method: 'POST',
      headers: { origin: stage.origin, cookie: here.cookiesAt(new URL(stage.origin)) },
      body: new URLSearchParams({ ...form, form_token }),
      redirect: 'manual',
    })
    assert.equal(answer.status, 200)
    assert.match(await answer.text(), /<meta http-equiv="refresh" content="0; url=/)
    const foreign = new Person()
    assert.equal((await send(foreign, form)).status, 403)
    assert.equal((await send(foreign, { ...form, form_token: 'A'.repeat(43) })).status, 403)
    assert.ok(!cookieNames(foreign, stage.origin).some((name) => name.includes('flow')))
    const unknown = await here.submit(signIn, '/auth/login', { provider: 'nobody' })
    assert.equal(unknown.status, 404)
  })

  test('a person whom /login led here at once may stay signed in by Sessions, and one who does is not asked', async () => {
    const link = '/auth/login?anew=1&amp;return_to=%2Fauth%2Fsessions'
    const person = new Person()
    await person
      .open(`${stage.origin}/login?next=/auth/me`)
      .then((page) => person.submit(page, '/who/', { sub: '7' }))
    assert.equal(await whoIs(person, stage.origin), 'grace')
    assert.equal(kept(person), undefined)
    assert.ok((await person.open(`${stage.origin}/auth/sessions`)).text.includes(link))
    const asks = await person.open(`${stage.origin}/auth/login?anew=1&return_to=/auth/sessions`)
    assert.match(asks.text, /sign in again and tick the box/)
    assert.match(asks.text, /name="remember"/)
    const { items: before } = await stage.hero.sessions.list({ user: 'grace' })
    const done = await pressed(person, '/auth/login?anew=1&return_to=/auth/sessions', { remember: '1' })
    assert.equal(done.url.pathname, '/auth/sessions')
    assert.match(done.text, /Stays signed in when the browser is closed/)
    assert.ok(!done.text.includes(link))
    assert.equal(kept(person), 180 * 86_400)
    const { items: afterwards } = await stage.hero.sessions.list({ user: 'grace' })
    assert.equal(afterwards.length, before.length, 'the same sign-in')
    const again = await person.open(`${stage.origin}/auth/login?anew=1&return_to=/auth/sessions`)
    assert.equal(again.url.pathname, '/auth/sessions')
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
