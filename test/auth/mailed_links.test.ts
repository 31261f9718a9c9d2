import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { goodPassword, startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { onSqliteFirst } from '../support/databases.ts'
import { freePort } from '../support/free_port.ts'
import { ask } from '../support/http.ts'
import { byHand } from '../support/people.ts'
import { Person } from '../support/person.ts'
import { refused } from '../support/refused.ts'
import { linkIn, startSmtp, useServer, type TestSmtp } from '../support/smtp.ts'

const newPassword = 'velvet-harbor-93-comet'

onSqliteFirst('nobody closes another person’s way in', (newUrl) => {
  let daemon: TestDaemon
  let smtp: TestSmtp
  before(async () => {
    smtp = await startSmtp()
    daemon = await startTestDaemon({
      database_url: newUrl(),
      listen: `127.0.0.1:${await freePort()}`,
      trusted_proxies: '127.0.0.1',
    })
    await useServer(daemon, smtp)
    await daemon.hero.settings.set({ key: 'magic_links', value: true })
    await daemon.hero.settings.set({ key: 'registration_mode', value: 'open' })
  })
  after(async () => {
    await smtp[Symbol.asyncDispose]()
    await daemon.close()
  })

  let number = 0
  const newPerson = async () => {
    const username = `person${++number}`
    const email = `${username}@example.org`
    await daemon.hero.users.add({ username, email, password: goodPassword })
    return { username, email }
  }
  /** Returns the token of the next mail to an address. */
  const tokenTo = async (address: string, subject: RegExp): Promise<string> => {
    const token = new URL(linkIn(await smtp.mailTo(address, subject))).searchParams.get('token')!
    smtp.arrived.length = 0
    return token
  }
  const linksTo = (address: string) =>
    byHand(daemon, async ({ query }) =>
      query.selectFrom('one_time_tokens').select('purpose').where('address', '=', address).execute(),
    )
  /** Calls a method at the edge, as a program in this network. */
  const callFrom = async (address: string, method: string, params: Record<string, unknown>) => {
    const { body } = await ask(daemon, `localhost:${daemon.edge.port}`, '/rpc', {
      method: 'POST',
      headers: ['Content-Type', 'application/json', 'X-Forwarded-For', address],
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
    })
    return (JSON.parse(body) as { error?: { data: { code: string } } }).error?.data.code
  }
  const requestAt = async (browser: Person, email: string) => {
    const form = await browser.open(`http://localhost:${daemon.edge.port}/auth/reset`)
    const { status } = await browser.submit(form, '/auth/reset', { email })
    assert.equal(status, 200)
  }

  test('the sixth request of an hour sends nothing, makes no link, and leaves the five before it', async () => {
    const { email, username } = await newPerson()
    const tokens = []
    for (let i = 0; i < 5; i++) {
      await daemon.hero.auth.request_password_reset({ email })
      tokens.push(await tokenTo(email, /new password/))
    }
    await daemon.hero.auth.request_password_reset({ email })
    assert.equal((await linksTo(email)).length, 5)
    await daemon.hero.auth.reset_password({ token: tokens[4]!, password: newPassword })
    await daemon.hero.auth.login({ login: username, password: newPassword })
    for (const token of tokens)
      await refused(daemon.hero.auth.reset_password({ token, password: goodPassword }), 'unauthenticated')
  })

  test('a newer link replaces an older one of the same browser only, and not before its mail is queued', async () => {
    const { email } = await newPerson()
    const [own, strange] = [new Person(), new Person()]
    await requestAt(own, email)
    const first = await tokenTo(email, /new password/)
    await requestAt(strange, email)
    const strangers = await tokenTo(email, /new password/)
    await requestAt(own, email)
    const second = await tokenTo(email, /new password/)
    assert.equal((await linksTo(email)).length, 2)
    await refused(daemon.hero.auth.reset_password({ token: first, password: newPassword }), 'unauthenticated')
    // The limit of the hour is reached: what this browser asked for before stays.
    for (let i = 0; i < 4; i++) await requestAt(strange, email)
    await requestAt(own, email)
    await refused(
      daemon.hero.auth.reset_password({ token: strangers, password: newPassword }),
      'unauthenticated',
    )
    await daemon.hero.auth.reset_password({ token: second, password: newPassword })
  })

  test('one network uses up neither the requests nor the mails of another', async () => {
    for (const [method, subject] of [
      ['auth.request_password_reset', /new password/],
      ['auth.request_magic_link', /Sign in/],
    ] as const) {
      const { email } = await newPerson()
      const answers = []
      for (let i = 0; i < 15; i++) answers.push(await callFrom('198.51.100.7', method, { email }))
      assert.ok(answers.includes('rate_limited'))
      // Nothing that the stranger asked for is left, as after the end of short links.
      await byHand(daemon, ({ query }) =>
        query.deleteFrom('one_time_tokens').where('address', '=', email).execute(),
      )
      await smtp.mailTo(email, subject)
      await new Promise((resolve) => setTimeout(resolve, 300))
      smtp.arrived.length = 0
      assert.equal(await callFrom('203.0.113.9', method, { email }), undefined)
      await tokenTo(email, subject)
    }
  })

  test('registrations and address changes by strangers leave the ways in open', async () => {
    const { email } = await newPerson()
    for (let i = 0; i < 8; i++)
      await callFrom('198.51.100.8', 'auth.register', {
        username: `stranger${i}`,
        email,
        password: newPassword,
      })
    await daemon.hero.auth.request_password_reset({ email })
    const token = await tokenTo(email, /new password/)
    await daemon.hero.auth.reset_password({ token, password: newPassword })
  })

  test('an address gets at most twenty mails of a kind an hour from all networks together', async () => {
    const { email } = await newPerson()
    for (let i = 0; i < 30; i++) await callFrom(`198.51.${i}.1`, 'auth.request_magic_link', { email })
    const mails = await byHand(daemon, ({ query }) =>
      query.selectFrom('mails').select('id').where('address', '=', email).execute(),
    )
    // Five live links are enough: no more mails follow until one ends.
    assert.equal(mails.length, 5)
    assert.equal((await linksTo(email)).length, 5)
    // Also where each link is used or over soon after it was sent.
    for (let i = 30; i < 60; i++) {
      await byHand(daemon, ({ query }) =>
        query.deleteFrom('one_time_tokens').where('address', '=', email).execute(),
      )
      await callFrom(`198.51.${i}.1`, 'auth.request_magic_link', { email })
    }
    const all = await byHand(daemon, ({ query }) =>
      query.selectFrom('mails').select('id').where('address', '=', email).execute(),
    )
    assert.equal(all.length, 20)
    assert.equal((await linksTo(email)).length, 0)
    // Mails of another kind have a limit of their own.
    await daemon.hero.auth.request_password_reset({ email })
    assert.equal((await linksTo(email)).length, 1)
  })

  test('requests for links never crowd out a notice, and a notice that is dropped stands in the audit', async () => {
    const { email, username } = await newPerson()
    for (let i = 0; i < 6; i++) await daemon.hero.auth.request_password_reset({ email })
    smtp.arrived.length = 0
    await daemon.hero.auth.set_password({ user: username, password: newPassword })
    await smtp.mailTo(email, /was changed/)
    for (let i = 0; i < 21; i++)
      await daemon.hero.auth.set_password({ user: username, password: `${newPassword}-${i}` })
    const { items } = await daemon.hero.audit.list({ method: 'mail.notice' })
    const dropped = items.filter(({ target }) => target === `user=${username} kind=password_changed`)
    assert.equal(dropped.length, 2)
    assert.ok(dropped.every(({ outcome }) => outcome === 'rate_limited'))
  })
})
