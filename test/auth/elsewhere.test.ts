import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { now } from '../../src/storage/ids.ts'
import { goodPassword, startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { onSqliteFirst } from '../support/databases.ts'
import { freePort } from '../support/free_port.ts'
import { byHand } from '../support/people.ts'
import { Person } from '../support/person.ts'
import { refused } from '../support/refused.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

const here = '198.51.100.1'
const away = '203.0.113.9'
const cookie = '__Host-hero_proxy_elsewhere'

onSqliteFirst('a browser that a phone signs in', (newUrl) => {
  let daemon: TestDaemon
  let upstream: Upstream
  let home: URL
  let wiki: URL
  before(async () => {
    upstream = await startUpstream()
    const port = await freePort()
    home = new URL(`http://localhost:${port}`)
    wiki = new URL(`http://wiki.localhost:${port}`)
    daemon = await startTestDaemon({
      database_url: newUrl(),
      listen: `127.0.0.1:${port}`,
      public_url: home.origin,
      trusted_proxies: '127.0.0.1',
    })
    await daemon.hero.proxy.routes.add({
      domain: 'wiki.localhost',
      target: upstream.target,
      auth_mode: 'local',
    })
  })
  beforeEach(() => allow('same_network'))
  after(async () => {
    await daemon.close()
    await upstream.close()
  })

  const allow = (value: string) => daemon.hero.settings.set({ key: 'elsewhere', value })
  const at = (address: string) => new Person(undefined, { 'x-forwarded-for': address })
  const atHome = (path: string) => `${home.origin}${path}`
  let number = 0
  const newUser = async (more: { is_admin?: boolean } = {}) => {
    const username = `person${++number}`
    const email = `${username}@example.org`
    await daemon.hero.users.add({ username, email, password: goodPassword, ...more })
    return username
  }
  /** A phone on which somebody is signed in by password. */
  const phoneOf = async (username: string, address = here) => {
    const phone = at(address)
    await phone.signIn(await phone.open(atHome('/auth/login')), username, goodPassword)
    return phone
  }
  const secretOf = (browser: Person) =>
    new RegExp(`${cookie}=([\\w-]{43})`).exec(browser.cookiesAt(home))?.[1] ?? ''
  const look = (browser: Person) => daemon.hero.auth.look_elsewhere({ browser_secret: secretOf(browser) })
  /** Begins in a browser. Returns what its QR code and its page show. */
  const begin = async (browser: Person, returnTo = '/auth/me') => {
    const intro = await browser.open(atHome(`/auth/elsewhere?return_to=${encodeURIComponent(returnTo)}`))
    const page = await browser.submit(intro, '/auth/elsewhere', {})
    const { link, digits } = page.status === 200 ? await look(browser) : { link: '', digits: '' }
    return { page, link: link ?? '', digits: digits ?? '' }
  }
  const scan = async (phone: Person, link: string) =>
    phone.submit(await phone.open(link), '/auth/elsewhere/open', {})
  const enter = async (browser: Person) =>
    browser.submit(await browser.open(atHome('/auth/elsewhere/wait')), '/auth/elsewhere/enter', {})
  const agree = async (phone: Person, browser: Person, returnTo?: string) => {
    const { link, digits } = await begin(browser, returnTo)
    return phone.submit(await scan(phone, link), '/auth/elsewhere/approve', { digits })
  }
  /** The whole way. */
  const signedInBy = async (phone: Person, address = here) => {
    const browser = at(address)
    await agree(phone, browser)
    await enter(browser)
    return browser
  }
  const isIn = async (browser: Person) => (await browser.open(atHome('/auth/me'))).url.pathname === '/auth/me'
  const sessionsOf = async (user: string) => (await daemon.hero.sessions.list({ user })).items
  const inTable = <T>(work: (query: Parameters<Parameters<typeof byHand>[1]>[0]['query']) => Promise<T>) =>
    byHand(daemon, ({ query }) => work(query))
  /** Changes the sign-ins of a person behind the back of the daemon. */
  const setSessions = (username: string, columns: Record<string, number>) =>
    byHand(daemon, async (database) => {
      const { id } = await database.query
        .selectFrom('users')
        .select('id')
        .where('username', '=', username)
        .executeTakeFirstOrThrow()
      await database.query.updateTable('sessions').set(columns).where('user_id', '=', id).execute()
      database.changed('sessions')
    })
  let shared: Promise<Person> | undefined
  /** A phone on which nothing changes. */
  const anyPhone = () => (shared ??= newUser().then((username) => phoneOf(username)))
  const wrong = (digits: string) => (digits === '47' ? '48' : '47')

  test('the phone asks for the digits, the browser gets a session of twelve hours that the phone ends by one button', async () => {
    const username = await newUser()
    const phone = await phoneOf(username)
    const browser = at(here)
    const login = await browser.open(atHome('/auth/login?return_to=%2Fauth%2Fsessions'))
    const intro = await browser.follow(login, '/auth/elsewhere?return_to=%2Fauth%2Fsessions')
    assert.ok(intro.text.indexOf('passkey on your phone') < intro.text.indexOf('It scans a QR code'))
    const { page, link, digits } = await begin(browser, '/auth/sessions')
    assert.equal(page.headers.get('refresh'), '4')
    assert.match(page.text, /<div class="qr" role="img"/)
    assert.match(page.text, new RegExp(`<code>${digits}</code>`))
    assert.equal(browser.keeps(cookie, home), 300)
    assert.match(new URL(link).searchParams.get('code')!, /^[\w-]{22}$/)
    const found = await scan(phone, link)
    assert.match(found.text, new RegExp(`Network address: ${here}`))
    assert.match(found.text, /It is in the network of this phone/)
    assert.doesNotMatch(found.text, new RegExp(`>${digits}<`))
    assert.match((await browser.open(page.url)).text, /Your phone has opened the page/)
    const done = await phone.submit(found, '/auth/elsewhere/approve', { digits: ` ${digits}` })
    assert.equal(done.status, 200)
    const agreed = await browser.open(page.url)
    assert.match(agreed.text, new RegExp(`signs you in in this browser as ${username}`))
    assert.equal(agreed.headers.get('refresh'), null)
    assert.ok(!(await isIn(browser)))
    const entered = await browser.submit(agreed, '/auth/elsewhere/enter', {})
    assert.equal(entered.url.pathname, '/auth/sessions')
    assert.equal(browser.keeps('__Host-hero_proxy_session', home), undefined)
    assert.equal(secretOf(browser), '')
    const [newest, own] = await sessionsOf(username)
    assert.equal(newest!.provider, 'another_device')
    assert.deepEqual([newest!.by_another_device, own!.by_another_device], [true, false])
    assert.equal(newest!.expires_at - newest!.created_at, 43_200)
    assert.equal(newest!.remembered, false)
    const mails = await inTable((query) =>
      query.selectFrom('mails').selectAll().where('kind', '=', 'signed_in_elsewhere').execute(),
    )
    assert.equal(mails.length, 1)
    const { items } = await daemon.hero.audit.list({ limit: 10 })
    const lines = items.map(({ method, actor, target }) => `${method} ${actor} ${target}`)
    assert.ok(lines.includes(`auth.approve_elsewhere ${username} address=${here}`))
    assert.ok(
      lines.some((line) => line.startsWith('auth.login_elsewhere') && line.endsWith(`user=${username}`)),
    )
    const list = await phone.open(atHome('/auth/sessions'))
    assert.match(list.text, /Signed in by another device of yours/)
    await phone.submit(list, '/auth/account/revoke', {})
    assert.ok(!(await isIn(browser)))
    assert.ok(await isIn(phone))
  })

  test('a browser that a phone signed in stays new to its person', async () => {
    const username = await newUser()
    const browser = await signedInBy(await phoneOf(username))
    await browser.signIn(await browser.open(atHome('/auth/login?anew=1')), username, goodPassword)
    const mails = await inTable((query) =>
      query
        .selectFrom('mails')
        .select('kind')
        .where('address', '=', `${username}@example.org`)
        .where('kind', '=', 'new_device')
        .execute(),
    )
    assert.equal(mails.length, 1)
  })

  test('lasts no longer than any sign-in, and opens services', async () => {
    await daemon.hero.settings.set({ key: 'session_lifetime', value: 3600 })
    const username = await newUser()
    const browser = await signedInBy(await phoneOf(username))
    await daemon.hero.settings.set({ key: 'session_lifetime', value: 86_400 })
    const [newest] = await sessionsOf(username)
    assert.equal(newest!.expires_at - newest!.created_at, 3600)
    assert.equal((await browser.open(wiki)).url.host, wiki.host)
  })

  test('opening the link changes nothing, for a scanner, a stranger and the phone', async () => {
    const browser = at(here)
    const { link } = await begin(browser)
    const phone = await anyPhone()
    await at(here).open(link)
    await phone.open(link)
    await phone.open(link, { headers: { 'sec-purpose': 'prefetch' } })
    assert.equal((await look(browser)).state, 'waiting')
  })

  test('a phone in another network ends it, unless the setting allows it', async () => {
    const phone = await phoneOf(await newUser(), away)
    const browser = at(here)
    const { link, page } = await begin(browser)
    const answer = await scan(phone, link)
    assert.equal(answer.status, 409)
    assert.match(answer.text, /another network than this phone/)
    assert.match((await browser.open(page.url)).text, /in another network than this browser/)
    assert.match((await scan(phone, link)).text, /request is over/)
    await allow('anywhere')
    const next = at(here)
    const { link: other, digits } = await begin(next)
    const found = await scan(phone, other)
    assert.match(found.text, /NOT in the network of this phone/)
    await phone.submit(found, '/auth/elsewhere/approve', { digits })
    await enter(next)
    assert.ok(await isIn(next))
  })

  test('a /64 of IPv6 is one network; where the families differ, both pages say so', async () => {
    const username = await newUser()
    const phone = await phoneOf(username, '2001:db8:1:2::5')
    assert.ok(await isIn(await signedInBy(phone, '2001:db8:1:2:ffff::9')))
    const near = at('2001:db8:1:3::5')
    assert.equal((await scan(phone, (await begin(near)).link)).status, 409)
    await daemon.hero.settings.set({ key: 'magic_links', value: true })
    const browser = at(here)
    const { link, page } = await begin(browser)
    assert.match((await scan(phone, link)).text, /over IPv4 and IPv6/)
    const { text } = await browser.open(page.url)
    assert.match(text, /over IPv4 and IPv6/)
    assert.match(text, /Use a passkey or a code by email/)
    assert.match(text, /href="\/auth\/magic\?/)
  })

  test('a phone that changes its network before the digits, and a browser after them, are refused', async () => {
    const username = await newUser()
    const added = { 'x-forwarded-for': here }
    const phone = new Person(undefined, added)
    await phone.signIn(await phone.open(atHome('/auth/login')), username, goodPassword)
    const first = at(here)
    const { link, digits } = await begin(first)
    const found = await scan(phone, link)
    added['x-forwarded-for'] = away
    assert.match((await phone.submit(found, '/auth/elsewhere/approve', { digits })).text, /another network/)
    added['x-forwarded-for'] = here
    assert.match((await phone.submit(found, '/auth/elsewhere/approve', { digits })).text, /request is over/)
    const moving = { 'x-forwarded-for': here }
    const second = new Person(undefined, moving)
    await agree(phone, second)
    moving['x-forwarded-for'] = away
    assert.equal((await enter(second)).status, 401)
    assert.ok(!(await isIn(second)))
  })

  test('an address that may be that of a proxy, or of everybody, begins nothing', async () => {
    const addresses = ['192.168.1.7', '10.0.0.1', '127.0.0.9', 'unknown', 'fd00::1', '127.0.0.1']
    for (const address of addresses) {
      const browser = at(address)
      const { page } = await begin(browser)
      assert.equal(page.status, 409, address)
      assert.match(page.text, /nobody can tell from which network you come/)
    }
    const phone = await phoneOf(await newUser(), '192.168.1.7')
    const { link } = await begin(at(here))
    assert.match((await scan(phone, link)).text, /nobody can tell from which network/)
    await allow('anywhere')
    assert.equal((await begin(at('unknown'))).page.status, 409)
    assert.equal((await begin(at('127.0.0.1'))).page.status, 409)
    assert.equal((await begin(at('192.168.1.7'))).page.status, 200)
  })

  test('takes a fresh proof, which is a factor for a person who has one', async () => {
    const username = await newUser()
    const phone = await phoneOf(username)
    const { link } = await begin(at(here))
    await setSessions(username, { proven_at: now() - 1000 })
    const { url } = await scan(phone, link)
    assert.equal(url.pathname, '/auth/prove')
    assert.equal(url.searchParams.get('return_to'), link.slice(home.origin.length))
    await setSessions(username, { proven_at: now() })
    await byHand(daemon, async (database) => {
      const users = database.query.updateTable('users').set({ has_factor: 1 })
      await users.where('username', '=', username).execute()
      database.changed('users')
    })
    assert.equal((await scan(phone, link)).url.pathname, '/auth/prove')
    await setSessions(username, { second_at: now() })
    assert.equal((await scan(phone, link)).status, 200)
  })

  test('not while impersonating, and not in a sign-in that another device opened', async () => {
    const username = await newUser({ is_admin: true })
    const phone = await phoneOf(username)
    const { link } = await begin(at(here))
    const weak = await signedInBy(phone)
    const answer = await scan(weak, link)
    assert.equal(answer.url.pathname, '/auth/login')
    assert.equal(answer.url.searchParams.get('anew'), '1')
    await setSessions(username, { proven_at: now() })
    assert.match((await scan(weak, link)).text, /Another device opened this sign-in/)
    const other = await newUser()
    const user_id = (await daemon.hero.users.get({ username: other })).id
    await byHand(daemon, async (database) => {
      const overlay = { impersonated_user_id: user_id, impersonating_until: now() + 600 }
      await database.query.updateTable('sessions').set(overlay).where('provider', '=', 'password').execute()
      database.changed('sessions')
    })
    const { status, text } = await scan(phone, link)
    assert.equal(status, 409)
    assert.match(text, /impersonating/)
  })

  test('the first phone owns it; the digits have one try', async () => {
    const [one, two] = [await anyPhone(), await phoneOf(await newUser())]
    const browser = at(here)
    const { link, digits, page } = await begin(browser)
    const found = await scan(one, link)
    const intro = await browser.open(atHome('/auth/elsewhere'))
    const early = {
      ...intro,
      text: intro.text.replace('action="/auth/elsewhere"', 'action="/auth/elsewhere/enter"'),
    }
    assert.equal((await browser.submit(early, '/auth/elsewhere/enter', {})).status, 401)
    assert.ok(!(await isIn(browser)))
    assert.match((await scan(two, link)).text, /Another phone has opened this QR code/)
    const asked = { ...found, text: (await two.open(link)).text.replace('/open"', '/approve"') }
    assert.equal((await two.submit(asked, '/auth/elsewhere/approve', { digits })).status, 401)
    assert.equal((await scan(one, link)).status, 200)
    assert.match(
      (await one.submit(found, '/auth/elsewhere/approve', { digits: wrong(digits) })).text,
      /The browser shows other digits/,
    )
    assert.equal((await one.submit(found, '/auth/elsewhere/approve', { digits })).status, 401)
    assert.equal((await scan(one, link)).status, 401)
    assert.match((await browser.open(page.url)).text, /Other digits were typed/)
  })

  test('of many wrong and right digits at once, one counts', async () => {
    const phone = await anyPhone()
    const browser = at(here)
    const { link, digits } = await begin(browser)
    const found = await scan(phone, link)
    const typed = [wrong(digits), wrong(digits), wrong(digits), digits, digits]
    const answers = await Promise.all(
      typed.map((digits) => phone.submit(found, '/auth/elsewhere/approve', { digits })),
    )
    assert.ok(answers.filter(({ status }) => status === 200).length <= 1)
    assert.equal(answers.filter(({ status }) => status === 401).length, 4)
  })

  test('one session for twenty at once, for its own browser alone, and none afterwards', async () => {
    const username = await newUser()
    const phone = await phoneOf(username)
    const browser = at(here)
    await agree(phone, browser)
    const browser_secret = secretOf(browser)
    const page = await browser.open(atHome('/auth/elsewhere/wait'))
    const stranger = at(here)
    const begun = await stranger.open(atHome('/auth/elsewhere'))
    const asked = { ...page, text: page.text.replace(/value="[^"]*\.?[^"]*"/, formToken(begun.text)) }
    assert.equal((await stranger.submit(asked, '/auth/elsewhere/enter', {})).status, 401)
    const tried = await Promise.all(
      Array.from({ length: 20 }, () => browser.submit(page, '/auth/elsewhere/enter', {})),
    )
    assert.equal(tried.filter(({ status }) => status === 200).length >= 1, true)
    assert.equal((await sessionsOf(username)).filter((one) => one.by_another_device).length, 1)
    const thief = at(here)
    thief.plant(cookie, browser_secret, home)
    assert.match((await thief.open(atHome('/auth/elsewhere/wait'))).text, /five minutes are over/)
    await allow('anywhere')
    await refused(daemon.hero.auth.login_elsewhere({ browser_secret }), 'unauthenticated')
  })

  test('after five minutes nothing goes on', async () => {
    const phone = await anyPhone()
    const [waiting, opened, approved] = [at(here), at(here), at(here)]
    const { link, page } = await begin(waiting)
    const second = await begin(opened)
    const found = await scan(phone, second.link)
    await agree(phone, approved)
    const wait = await approved.open(atHome('/auth/elsewhere/wait'))
    await inTable((query) => query.updateTable('elsewhere_requests').set({ expires_at: now() }).execute())
    assert.equal((await scan(phone, link)).status, 401)
    const { digits } = second
    assert.equal((await phone.submit(found, '/auth/elsewhere/approve', { digits })).status, 401)
    assert.equal((await approved.submit(wait, '/auth/elsewhere/enter', {})).status, 401)
    assert.match((await waiting.open(page.url)).text, /five minutes are over/)
  })

  test('what ends the phone ends what it has approved: sign-out, password, deactivation, end, the setting', async () => {
    const { hero } = daemon
    const ends: Record<string, (phone: Person, username: string) => Promise<unknown>> = {
      sign_out: async (phone) => {
        const page = await phone.open(atHome('/auth/logout'))
        await phone.submit(page, '/auth/logout', { answer: 'everywhere' })
      },
      own_password: async (phone) => {
        const page = await phone.open(atHome('/auth/security'))
        const typed = { password: 'velvet-harbor-93-comet', current_password: goodPassword }
        await phone.submit(page, '/auth/account/password', typed)
        assert.ok(await isIn(phone))
      },
      deactivated: (_, username) => hero.users.update({ username, is_active: false }),
      active_again: async (_, username) => {
        await hero.users.update({ username, is_active: false })
        await hero.users.update({ username, is_active: true })
      },
      account_end: (_, username) =>
        hero.users.update({ username, ends_at: now() + 1 }).then(() =>
          byHand(daemon, async (database) => {
            await database.query
              .updateTable('users')
              .set({ ends_at: now() - 1 })
              .where('username', '=', username)
              .execute()
            database.changed('users')
          }),
        ),
      setting: () => allow('off'),
    }
    for (const [name, end] of Object.entries(ends)) {
      const username = await newUser()
      const phone = await phoneOf(username)
      const browser = at(here)
      await agree(phone, browser)
      const page = await browser.open(atHome('/auth/elsewhere/wait'))
      await end(phone, username)
      const { status } = await browser.submit(page, '/auth/elsewhere/enter', {})
      assert.ok(status === 401 || status === 409, `${name}: ${status}`)
      assert.ok(!(await isIn(browser)), name)
    }
  })

  test('off: no way on the sign-in page, and no step', async () => {
    const phone = await anyPhone()
    const { link } = await begin(at(here))
    await allow('off')
    const browser = at(here)
    const login = await browser.open(atHome('/auth/login'))
    assert.doesNotMatch(login.text, /another device/)
    assert.equal((await browser.open(atHome('/auth/elsewhere'))).url.pathname, '/auth/login')
    assert.match((await scan(phone, link)).text, /turned off/)
  })

  test('strangers cannot fill the table: fifty of a network, two thousand of all', async () => {
    const fill = (count: number, network: (i: number) => string) =>
      inTable(async (query) => {
        const rows = Array.from({ length: count }, (_, i) => ({
          browser_hash: `${network(i)} ${i}`,
          code_hash: `${network(i)} ${i}`,
          digits: '00',
          address: network(i),
          network: network(i),
          user_agent: '',
          state: 'ended' as const,
          reason: '' as const,
          user_id: null,
          session_id: null,
          expires_at: now() + 200,
        }))
        for (let from = 0; from < count; from += 500)
          await query
            .insertInto('elsewhere_requests')
            .values(rows.slice(from, from + 500))
            .execute()
      })
    await inTable((query) => query.deleteFrom('elsewhere_requests').execute())
    await fill(50, () => '198.51.100.77')
    const { page } = await begin(at('198.51.100.77'))
    assert.equal(page.status, 429)
    assert.equal(page.headers.get('retry-after'), '300')
    assert.equal((await begin(at('198.51.100.78'))).page.status, 200)
    await fill(1950, (i) => `203.0.${i % 200}.${i % 250}`)
    assert.equal((await begin(at('198.51.100.79'))).page.status, 429)
    await inTable((query) => query.deleteFrom('elsewhere_requests').execute())
  })

  test('no form is taken from another page', async () => {
    const phone = await anyPhone()
    const browser = at(here)
    const { link, digits, page } = await begin(browser)
    const forged = async (who: Person, path: string, fields: Record<string, string>) => {
      const { status } = await who.open(atHome(path), {
        method: 'POST',
        body: new URLSearchParams({ form_token: 'x', ...fields }).toString(),
        headers: { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'cross-site' },
      })
      assert.equal(status, 403, path)
    }
    const code = new URL(link).searchParams.get('code')!
    await forged(at(here), '/auth/elsewhere', {})
    await forged(phone, '/auth/elsewhere/open', { code })
    assert.equal((await look(browser)).state, 'waiting')
    const found = await scan(phone, link)
    await forged(phone, '/auth/elsewhere/approve', { code, digits })
    assert.equal((await look(browser)).state, 'opened')
    await phone.submit(found, '/auth/elsewhere/approve', { digits })
    await forged(browser, '/auth/elsewhere/enter', {})
    assert.match((await browser.open(page.url)).text, /Your phone agrees/)
  })
})

const formToken = (text: string) => `value="${/name="form_token" value="([^"]+)"/.exec(text)![1]!}"`
