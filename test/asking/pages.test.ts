import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { HeroProxy } from '../../sdk/index.ts'
import { now } from '../../src/storage/ids.ts'
import { onSqliteFirst } from '../support/databases.ts'
import { goodPassword, type TestDaemon } from '../support/daemon.ts'
import { App, atCallback, callback, startProvider } from '../support/openid_stage.ts'
import { byHand, signedIn } from '../support/people.ts'
import { Person } from '../support/person.ts'
import { linkIn, startSmtp, useServer, type TestSmtp } from '../support/smtp.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

const day = 86_400

onSqliteFirst('asking for access', (newUrl) => {
  let daemon: TestDaemon
  let hero: HeroProxy
  let home: string
  let wiki: string
  let upstream: Upstream
  let smtp: TestSmtp
  let routeId: string
  /** Administers the group. */
  const teacher = new Person()
  before(async () => {
    smtp = await startSmtp()
    upstream = await startUpstream()
    ;({ daemon, issuer: home } = await startProvider({ database_url: newUrl() }))
    hero = daemon.hero
    wiki = home.replace('localhost', 'wiki.localhost')
    await useServer(daemon, smtp)
    await hero.users.add({ username: 'lin', email: 'lin@example.org', password: goodPassword })
    await hero.groups.add({ slug: 'writers', name: 'Writers' })
    await hero.groups.add_admin({ group: 'writers', user: 'lin' })
    const route = await hero.proxy.routes.add({
      domain: 'wiki.localhost',
      target: upstream.target,
      auth_mode: 'local',
      title: 'Wiki',
      required_claims: ['groups.writers'],
      ask_group: 'writers',
    })
    routeId = route.id
    await hero.clients.add({
      name: 'Desk',
      client: 'desk',
      public: true,
      first_party: true,
      redirect_uris: [callback],
      start_url: `${home}/auth/me?from=desk`,
      required_claims: ['groups.writers'],
      ask_group: 'writers',
    })
    await teacher.signIn(await teacher.open(`${home}/auth/login`), 'lin', goodPassword)
  })
  after(async () => {
    await smtp[Symbol.asyncDispose]()
    await daemon.close()
    await upstream.close()
  })

  let number = 0
  const newPerson = async () => {
    const username = `person${++number}`
    await hero.users.add({ username, email: `${username}@example.org`, password: goodPassword })
    const browser = new Person(atCallback)
    await browser.signIn(await browser.open(`${home}/auth/login`), username, goodPassword)
    return { username, browser }
  }
  const requests = async () => (await hero.requests.list({ whose: 'others' })).items
  const mails = (kind: string) =>
    byHand(daemon, ({ query }) =>
      query.selectFrom('mails').select('address').where('kind', '=', kind).execute(),
    )
  /** The people who decide had their mail long ago. */
  const anHourLater = () =>
    byHand(daemon, ({ query }) =>
      query
        .updateTable('mails')
        .set((eb) => ({ created_at: eb('created_at', '-', 3601) }))
        .execute(),
    )

  test('begins at the page that refuses, and ends in the service until the membership does', async () => {
    const { username, browser } = await newPerson()
    const no = await browser.open(`${wiki}/page`)
    assert.deepEqual([no.status, no.url.origin], [403, wiki])
    const form = await browser.follow(no, `${home}/auth/ask?token=`)
    assert.equal(form.url.pathname, '/auth/ask')
    assert.ok(form.text.includes('Wiki') && !form.text.includes('writers'))
    assert.deepEqual(await requests(), [], 'opening the page changes nothing')
    const reason = '  <b>My</b>\r\n  reason '
    const mine = await browser.submit(form, '/auth/ask', { reason })
    assert.equal(mine.url.pathname, '/auth/services')
    assert.match(mine.text, /You have asked for this/)
    assert.match(
      (await browser.follow(no, `${home}/auth/ask?token=`)).text,
      /You have asked for this already/,
    )

    const mail = await smtp.mailTo('lin@example.org', /person1 asks/)
    assert.ok(!mail.text!.includes('reason'), 'it holds no text of the person who asks')
    const link = linkIn(mail)
    assert.equal(link, `${home}/auth/groups`)
    await teacher.open(link)
    const page = await teacher.open(link)
    assert.equal((await requests()).length, 1, 'a mail scanner decides nothing')
    assert.match(page.text, /<p class="about">&lt;b&gt;My&lt;\/b&gt; reason<\/p>/)
    assert.match(page.text, /<li>Desk [\s\S]*<li>Wiki/)
    assert.match(page.text, /<details><summary>The claim that it gives<\/summary>/)
    assert.ok(!page.text.includes('administer hero_proxy'))
    const done = await teacher.submit(page, '/auth/account/approve_request', { days: '2' })
    assert.match(done.text, /The request is approved/)
    const ends = (await hero.groups.members({ group: 'writers' })).items[0]!.expires_at!
    assert.ok(Math.abs(ends - now() - 2 * day) < 30)
    assert.match(done.text, /Members of Writers[\s\S]*person1[\s\S]*Until /)

    assert.equal(linkIn(await smtp.mailTo('person1@example.org', /now have access/)), `${wiki}/`)
    assert.equal((await browser.open(`${wiki}/page`)).status, 200)
    assert.match((await browser.open(`${home}/auth/services`)).text, /Wiki<\/strong>[\s\S]*Until /)
    assert.match((await browser.open(`${home}/auth/groups`)).text, /Writers<\/strong>[\s\S]*Until /)
    await hero.groups.remove_member({ group: 'writers', user: username })
  })

  test('the refusal, the withdrawal and the other buttons of My groups', async () => {
    await anHourLater()
    const { browser } = await newPerson()
    const services = await browser.open(`${home}/auth/services`)
    assert.match(services.text, /Desk[\s\S]*Wiki/)
    const ask = async () =>
      browser.submit(
        await browser.follow(await browser.open(`${home}/auth/services`), '/auth/ask'),
        '/auth/ask',
        {
          reason: '',
        },
      )
    const waiting = await ask()
    const question = await browser.follow(waiting, '/auth/account/withdraw_request?id=')
    assert.match(question.text, /Withdraw the request\?[\s\S]*Desk/)
    assert.equal((await requests()).length, 1)
    assert.match((await browser.submit(question, '/auth/account/withdraw_request', {})).text, /is withdrawn/)
    assert.deepEqual(await requests(), [])
    await ask()
    const groups = await teacher.open(`${home}/auth/groups`)
    const said = await teacher.submit(groups, '/auth/account/refuse_request', { reason: 'Ask\nMary' })
    assert.match(said.text, /The request is refused/)
    const mail = await smtp.mailTo('person2@example.org', /was refused/)
    assert.match(mail.text!, /The reason given: Ask Mary/)
    const after = await browser.open(`${home}/auth/services`)
    assert.match(after.text, /Refused\. You can ask again after[\s\S]*Ask Mary/)
    assert.ok(!after.text.includes('/auth/ask'))

    const added = await teacher.submit(said, '/auth/account/add_member', { user: 'grace', days: '' })
    assert.match(added.text, /grace<\/strong>[\s\S]*Without an end/)
    const removing = await teacher.follow(added, '/auth/account/remove_member?group=writers&user=grace')
    assert.match(removing.text, /grace<\/strong> · Writers/)
    const removed = await teacher.submit(removing, '/auth/account/remove_member', {})
    assert.match(removed.text, /no longer a member/)
    assert.deepEqual((await hero.groups.members({ group: 'writers' })).items, [])
    // Somebody without the group has neither its members nor its requests.
    const other = await browser.open(`${home}/auth/groups`)
    assert.ok(!other.text.includes('Members of') && !other.text.includes('approve_request'))
  })

  test('at an application: it leads to its start address', async () => {
    await anHourLater()
    const { username, browser } = await newPerson()
    const desk = new App(home, { client: 'desk', client_secret: null })
    const pkce = { code_challenge: 'x'.repeat(43), code_challenge_method: 'S256' }
    const no = await browser.open(desk.authorizeUrl(pkce))
    assert.equal(no.status, 403)
    const form = await browser.follow(no, '/auth/ask?token=')
    assert.match(form.text, /Desk/)
    await browser.submit(form, '/auth/ask', { reason: '' })
    const [{ id: request } = { id: '' }] = await requests()
    await hero.requests.approve({ request })
    const mail = await smtp.mailTo(`${username}@example.org`, /now have access to Desk/)
    assert.equal(linkIn(mail), `${home}/auth/me?from=desk`)
    assert.ok(atCallback((await browser.open(desk.authorizeUrl(pkce))).url))
    await hero.groups.remove_member({ group: 'writers', user: username })
  })

  test('the token of the page is for that person; a guest signs in first, and everybody else starts again', async () => {
    const { browser } = await newPerson()
    const no = await browser.open(`${wiki}/`)
    const [, link = ''] = /href="([^"]*\/auth\/ask\?token=[^"]*)"/.exec(no.text)!
    const { browser: other } = await newPerson()
    for (const address of [link, `${home}/auth/ask`, `${home}/auth/ask?token=v1.AAAA`]) {
      const answer = await other.open(address)
      assert.equal(answer.status, 400)
      assert.match(answer.text, /Please start again/)
      assert.ok(!answer.text.includes('Wiki'))
    }
    const guest = await new Person().open(link)
    assert.equal(guest.url.pathname, '/auth/login')
    assert.ok(guest.url.searchParams.get('return_to')!.startsWith('/auth/ask?token='))
  })

  test('is offered to people who are signed in and refused for want of a claim, where the place names a group', async () => {
    const { browser, username } = await newPerson()
    const offers = async (page = `${wiki}/`) => (await browser.open(page)).text.includes('/auth/ask?token=')
    assert.ok(await offers())
    await hero.proxy.routes.update({ id: routeId, ask_group: null })
    assert.ok(!(await offers()) && !(await browser.open(`${home}/auth/services`)).text.includes('Wiki'))
    await hero.proxy.routes.update({ id: routeId, ask_group: 'writers', listed: false })
    assert.ok((await offers()) && !(await browser.open(`${home}/auth/services`)).text.includes('Wiki'))
    await hero.proxy.routes.update({ id: routeId, listed: true, allowed_emails: ['*@example.net'] })
    await hero.groups.add_member({ group: 'writers', user: username })
    assert.ok(!(await offers()), 'a claim would not help')
    await hero.groups.remove_member({ group: 'writers', user: username })
    await hero.proxy.routes.update({ id: routeId, allowed_emails: [] })
    const program = await browser.open(`${wiki}/`, {
      headers: { accept: 'application/json', 'sec-fetch-mode': 'cors' },
    })
    assert.ok(program.status === 403 && !program.text.includes('/auth/ask'))
    const ada = new Person()
    await ada.signIn(await ada.open(`${home}/auth/login`), 'ada', goodPassword)
    const root = await signedIn(daemon, 'ada')
    const sessions = (await root.sessions.list()).items
    assert.ok(sessions.length > 1)
    await byHand(daemon, async (database) => {
      const { id } = await database.query
        .selectFrom('users')
        .select('id')
        .where('username', '=', username)
        .executeTakeFirstOrThrow()
      await database.query
        .updateTable('sessions')
        .set({ impersonated_user_id: id, impersonating_until: now() + 600 })
        .where(
          'id',
          'in',
          sessions.map((one) => one.id),
        )
        .execute()
      database.changed('sessions')
    })
    const no = await ada.open(`${wiki}/`)
    assert.equal(no.status, 403)
    assert.ok(!no.text.includes('/auth/ask'), 'an administrator asks for nobody else')
    assert.ok(!(await ada.open(`${home}/auth/services`)).text.includes('/auth/ask'))
  })

  test('each who decides gets one mail an hour', async () => {
    await anHourLater()
    const before = (await mails('access_requested')).length
    for (let i = 0; i < 3; i++) {
      const { browser } = await newPerson()
      const form = await browser.follow(await browser.open(`${wiki}/`), `${home}/auth/ask?token=`)
      await browser.submit(form, '/auth/ask', { reason: '' })
    }
    const sent = (await mails('access_requested')).slice(before)
    // Of the group, and of hero_proxy.
    assert.deepEqual(sent.map(({ address }) => address).sort(), ['ada@example.org', 'lin@example.org'])
  })
})
