import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import { goodPassword, startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { onSqliteFirst } from '../support/databases.ts'
import { now } from '../../src/storage/ids.ts'
import { codeOf } from '../support/factors.ts'
import { freePort } from '../support/free_port.ts'
import { ask } from '../support/http.ts'
import { byHand, signedIn } from '../support/people.ts'
import { Person } from '../support/person.ts'
import { refused } from '../support/refused.ts'
import { linkIn, startSmtp, useServer, type TestSmtp } from '../support/smtp.ts'

const secret = () => randomBytes(32).toString('base64url')

onSqliteFirst('the code beside a mailed link', (newUrl) => {
  let daemon: TestDaemon
  let smtp: TestSmtp
  let page: string
  before(async () => {
    smtp = await startSmtp()
    const port = await freePort()
    daemon = await startTestDaemon({
      database_url: newUrl(),
      listen: `127.0.0.1:${port}`,
      trusted_proxies: '127.0.0.1',
    })
    page = `http://localhost:${port}/auth/magic`
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
  /** Returns the code and the token of the newest mail to an address. */
  const mailTo = async (address: string) => {
    const { text = '' } = await smtp.mailTo(address, /^Sign in/)
    smtp.arrived.length = 0
    return { text, code: /^Your code: ([B-Z]{4}-[B-Z]{4})$/.exec(text.split('\n')[0]!)?.[1] ?? '' }
  }
  const tokenIn = (text: string) => new URL(linkIn({ text } as never)).searchParams.get('token')!
  /** Asks for a mail as a program in this network. */
  const request = async (email: string, browser_secret: string, network = '198.51.100.1') =>
    callFrom(network, 'auth.request_magic_link', { email, browser_secret })
  const callFrom = async (network: string, method: string, params: Record<string, unknown>) => {
    const { body } = await ask(daemon, `localhost:${daemon.edge.port}`, '/rpc', {
      method: 'POST',
      headers: ['Content-Type', 'application/json', 'X-Forwarded-For', network],
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
    })
    const { error } = JSON.parse(body) as { error?: { data: { code: string } } }
    return error?.data.code
  }
  const wrong = 'ZZZZ-ZZZZ'

  test('is the first line of the mail, is typed in any way in the tab that asked, and signs in', async () => {
    const { email, username } = await newPerson()
    const browser = new Person()
    const asked = await browser.submit(await browser.open(page), '/auth/magic', { email })
    assert.equal(asked.status, 200)
    assert.match(asked.text, /<input id="code" name="code"[^>]* autocomplete="one-time-code"/)
    const { text, code } = await mailTo(email)
    assert.notEqual(code, '')
    assert.match(text, /Time: .*\n(Device: .*\n)?Network address: 127\.0\.0\.1/)
    assert.match(text, /Nobody will ever ask you for this code/)
    const typed = ` ${code.toLowerCase().replace('-', ' – ')} `
    const { status, url } = await browser.submit(asked, '/auth/magic/code', { code: typed })
    assert.equal(status, 200)
    assert.equal(url.pathname, '/')
    await refused(daemon.hero.auth.login_by_link({ token: tokenIn(text) }), 'unauthenticated')
    const { items } = await daemon.hero.audit.list({ limit: 10 })
    const entry = items.find(({ method }) => method === 'auth.login_by_mailed_code')
    assert.equal(entry?.target, `user=${username}`)
    const [session] = (await daemon.hero.sessions.list({ user: username })).items
    assert.equal(session!.provider, 'magic_link')
  })

  test('counts in the browser that asked only, and is used up with its link', async () => {
    const { email } = await newPerson()
    const browser_secret = secret()
    await request(email, browser_secret)
    const { text, code } = await mailTo(email)
    await refused(
      daemon.hero.auth.login_by_mailed_code({ code, browser_secret: secret() }),
      'unauthenticated',
    )
    await daemon.hero.auth.login_by_link({ token: tokenIn(text) })
    await refused(daemon.hero.auth.login_by_mailed_code({ code, browser_secret }), 'unauthenticated')
  })

  test('is dead after five tries at once or one after another, while its link still works', async () => {
    const { email } = await newPerson()
    const browser_secret = secret()
    await request(email, browser_secret)
    const { text, code } = await mailTo(email)
    const tried = Array.from({ length: 5 }, () =>
      refused(daemon.hero.auth.login_by_mailed_code({ code: wrong, browser_secret }), 'unauthenticated'),
    )
    await Promise.all(tried)
    await refused(daemon.hero.auth.login_by_mailed_code({ code, browser_secret }), 'unauthenticated')
    await daemon.hero.auth.login_by_link({ token: tokenIn(text) })
  })

  test('opens one session, even if it is sent many times at once', async () => {
    const { email } = await newPerson()
    const browser_secret = secret()
    await request(email, browser_secret)
    const { code } = await mailTo(email)
    const results = await Promise.allSettled(
      Array.from({ length: 4 }, () => daemon.hero.auth.login_by_mailed_code({ code, browser_secret })),
    )
    assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 1)
  })

  test('guesses count for the person in all browsers and networks together', async () => {
    const { email, username } = await newPerson()
    const answers: (string | undefined)[] = []
    let last = { network: '', browser_secret: '', code: '' }
    for (let i = 0; i < 4; i++) {
      const [network, browser_secret] = [`198.51.${i}.7`, secret()]
      await request(email, browser_secret, network)
      const { code } = await mailTo(email)
      for (let guess = 0; guess < 3; guess++)
        answers.push(await callFrom(network, 'auth.login_by_mailed_code', { code: wrong, browser_secret }))
      last = { network, browser_secret, code }
    }
    assert.deepEqual(answers.slice(0, 10), Array<string>(10).fill('unauthenticated'))
    assert.deepEqual(answers.slice(10), ['rate_limited', 'rate_limited'])
    const { network, ...key } = last
    assert.equal(await callFrom(network, 'auth.login_by_mailed_code', key), 'rate_limited')
    // Nobody is locked out by it: other ways in stay open.
    await daemon.hero.auth.login({ login: username, password: goodPassword })
  })

  test('a signed-in person’s code has a count of its own, and who shows that they read their mail clears both', async () => {
    const { email, username } = await newPerson()
    const { id } = await daemon.hero.users.get({ username })
    const hero = await signedIn(daemon, username)
    const counted = () =>
      byHand(daemon, async ({ query }) => {
        const rows = query.selectFrom('attempts').select('key').where('key', 'like', `% ${id}`)
        return (await rows.orderBy('key').execute()).map(({ key }) => key.split(' ')[0])
      })
    /** Strangers have used up the guesses at codes, and somebody in a session one of theirs. */
    const useUp = () =>
      byHand(daemon, ({ query }) =>
        query
          .insertInto('attempts')
          .values([
            { key: `code ${id}`, full_until: now() + 600, failures: 10, seen_at: now() },
            { key: `proof ${id}`, full_until: now() + 60, failures: 1, seen_at: now() },
          ])
          .execute(),
      )
    await useUp()
    const browser_secret = secret()
    await request(email, browser_secret)
    const mailed = await mailTo(email)
    const key = { code: mailed.code, browser_secret }
    await refused(daemon.hero.auth.login_by_mailed_code(key), 'rate_limited')
    const own = secret()
    await hero.auth.request_mailed_code({ browser_secret: own })
    const { text = '' } = await smtp.mailTo(email, /^Confirm it’s you/)
    const mailed_code = /^Your code: (\S+)/.exec(text)![1]!
    await refused(hero.auth.prove({ mailed_code: wrong, browser_secret: own }), 'unauthenticated')
    await daemon.hero.auth.login({ login: username, password: goodPassword })
    assert.deepEqual(await counted(), ['code', 'proof'], 'a password clears none of them')
    await hero.auth.prove({ mailed_code, browser_secret: own })
    assert.deepEqual(await counted(), [])
    await useUp()
    await daemon.hero.auth.login_by_link({ token: tokenIn(mailed.text) })
    assert.deepEqual(await counted(), [])
    await useUp()
    await hero.auth.set_password({ password: 'velvet-harbor-93-comet', current_password: goodPassword })
    assert.deepEqual(await counted(), [])
  })

  test('one secret for several addresses opens none of them, and a password clears no count of codes', async () => {
    const [own, other] = [await newPerson(), await newPerson()]
    const browser_secret = secret()
    await request(own.email, browser_secret, '198.51.100.50')
    const { code } = await mailTo(own.email)
    await request(other.email, browser_secret, '198.51.100.50')
    await refused(daemon.hero.auth.login_by_mailed_code({ code, browser_secret }), 'unauthenticated')
    const answers = []
    for (let i = 0; i < 3; i++) {
      const key = secret()
      await request(other.email, key, `198.51.77.${i}`)
      for (let guess = 0; guess < 4; guess++) {
        answers.push(
          await callFrom(`198.51.77.${i}`, 'auth.login_by_mailed_code', { code: wrong, browser_secret: key }),
        )
        await daemon.hero.auth.login({ login: other.username, password: goodPassword })
      }
    }
    assert.equal(answers.at(-1), 'rate_limited')
  })

  test('a page and its refusals are the same for an address without an account', async () => {
    const { email } = await newPerson()
    const texts = []
    for (const address of [email, 'nobody@example.org']) {
      const browser = new Person()
      const asked = await browser.submit(await browser.open(page), '/auth/magic', { email: address })
      const answer = await browser.submit(asked, '/auth/magic/code', { code: wrong })
      const bare = (text: string) => text.replaceAll(/value="[^"]{30,}"/g, '')
      texts.push([asked.status, bare(asked.text), answer.status, bare(answer.text)])
    }
    assert.deepEqual(texts[0], texts[1])
    assert.equal(texts[0]![2], 401)
  })

  test('is not in the mail to an address that nobody has proved, nor while mail_codes is off', async () => {
    await daemon.hero.auth.register({ username: 'stranger', email: 'victim@example.org' })
    await request('victim@example.org', secret())
    assert.equal((await mailTo('victim@example.org')).code, '')
    await daemon.hero.settings.set({ key: 'mail_codes', value: false })
    const { email } = await newPerson()
    const browser = new Person()
    const asked = await browser.submit(await browser.open(page), '/auth/magic', { email })
    assert.doesNotMatch(asked.text, /name="code"/)
    assert.equal((await mailTo(email)).code, '')
    await daemon.hero.settings.set({ key: 'mail_codes', value: true })
  })

  test('is only the first step of a person with a second factor', async () => {
    const { email, username } = await newPerson()
    const hero = await signedIn(daemon, username)
    const { secret: seed } = await hero.factors.add_totp()
    await hero.factors.confirm_totp({ code: codeOf(seed) })
    const browser_secret = secret()
    await request(email, browser_secret)
    const { code } = await mailTo(email)
    await refused(daemon.hero.auth.login_by_mailed_code({ code, browser_secret }), 'factor_required')
    await refused(daemon.hero.auth.login_by_mailed_code({ code, browser_secret }), 'unauthenticated')
  })

  test('lasts ten minutes, and is stored as a hash that needs the secret of the browser', async () => {
    const { email } = await newPerson()
    const browser_secret = secret()
    await request(email, browser_secret)
    const { text, code } = await mailTo(email)
    const stored = await byHand(daemon, async ({ query }) => {
      const rows = await query.selectFrom('one_time_tokens').selectAll().execute()
      await query.updateTable('one_time_tokens').set({ code_until: 1 }).execute()
      return rows
    })
    const row = stored.find(({ address }) => address === email)!
    assert.ok(Number(row.code_until) - Number(row.created_at) <= 600)
    const all = JSON.stringify(stored)
    for (const part of [browser_secret, code, code.replace('-', '')]) assert.ok(!all.includes(part), part)
    await refused(daemon.hero.auth.login_by_mailed_code({ code, browser_secret }), 'unauthenticated')
    await daemon.hero.auth.login_by_link({ token: tokenIn(text) })
  })

  test('no request of a stranger ends it', async () => {
    const { email } = await newPerson()
    const browser_secret = secret()
    await request(email, browser_secret)
    const { code } = await mailTo(email)
    for (let i = 0; i < 7; i++) await request(email, secret(), `203.0.113.${i}`)
    await daemon.hero.auth.login_by_mailed_code({ code, browser_secret })
  })
})
