import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { request, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { Browser, BrowserContext } from 'playwright-core'
import { browserMissing, startBrowser } from '../support/browser.ts'
import { startAtHome } from '../support/openid_stage.ts'
import { goodPassword, type TestDaemon } from '../support/daemon.ts'
import { ask } from '../support/http.ts'
import { Person } from '../support/person.ts'
import { kill, root } from '../support/daemon_process.ts'
import { freePort } from '../support/free_port.ts'
import { startProvider } from '../support/openid_stage.ts'

const folder = join(root, 'docs', 'examples')

/** Every example of a service, started as its first line says, behind a real daemon, used with a real session. */
describe('the examples of docs/examples', () => {
  let daemon: TestDaemon
  let browser: Browser | undefined
  let context: BrowserContext | undefined
  const running: ChildProcess[] = []

  before(async () => {
    daemon = await startAtHome()
    const { users, groups } = daemon.hero
    for (const username of ['ada', 'bob']) await users.add({ username, password: goodPassword })
    await groups.add({ slug: 'engineers' })
    await groups.add_claim({ group: 'engineers', claim: 'engineers.tickets.read' })
    await groups.add_member({ group: 'engineers', user: 'ada' })
    if (browserMissing() === undefined) {
      browser = await startBrowser()
      context = await browser.newContext()
    }
  })
  after(async () => {
    await browser?.close()
    for (const child of running) await kill(child, 'SIGKILL')
    await daemon.close()
  })

  const start = async (name: string, domain: string, route: { audience?: string } = {}) => {
    const port = await freePort()
    const env = { ...process.env, HERO_SOCKET_DIR: daemon.config.socket_dir }
    const child = spawn(process.execPath, [join(folder, name), String(port)], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    running.push(child)
    await once(child.stdout, 'data')
    await daemon.hero.proxy.routes.add({
      domain,
      target: `http://127.0.0.1:${port}`,
      auth_mode: 'optional',
      ...route,
    })
    return port
  }
  const tokenOf = async (login: string) =>
    (await daemon.hero.auth.login({ login, password: goodPassword })).access_token
  const visit = async (domain: string, path: string, token?: string) => {
    const headers =
      token === undefined
        ? ['X-Hero-User', 'root', 'X-Hero-Claims', 'engineers.all']
        : ['Authorization', `Bearer ${token}`]
    return ask(daemon, domain, path, { headers })
  }

  for (const name of ['node-http.ts', 'express.ts', 'fastify.ts', 'hono.ts']) {
    test(`${name} greets guests and users, and protects its tickets`, async (t) => {
      const domain = `${name.replace('.ts', '')}.localhost`
      await start(name, domain)
      const [ada, bob] = [await tokenOf('ada'), await tokenOf('bob')]
      assert.equal((await visit(domain, '/')).body, 'Hello, guest.\n')
      assert.equal((await visit(domain, '/', ada)).body, 'Hello, ada.\n')
      const guest = await visit(domain, '/tickets')
      assert.equal(guest.status, 401)
      assert.equal((JSON.parse(guest.body) as { code: string }).code, 'unauthenticated')
      const refused = await visit(domain, '/tickets', bob)
      assert.equal(refused.status, 403)
      assert.equal((JSON.parse(refused.body) as { code: string }).code, 'claim_required')
      assert.deepEqual(JSON.parse((await visit(domain, '/tickets', ada)).body), {
        tickets: [],
        reader: 'ada',
      })

      if (!context) return t.diagnostic(browserMissing()!)
      const page = await context.newPage()
      await page.goto(`http://${domain}:${daemon.edge.port}/auth/login?return_to=/tickets`)
      // One sign-in opens every service.
      if (running.length === 1) {
        await page.getByLabel('Username or email').fill('ada')
        await page.getByLabel('Password').fill(goodPassword)
        await page.getByRole('button', { name: 'Sign in', exact: true }).click()
      }
      await page.waitForURL('**/tickets')
      assert.match((await page.textContent('body'))!, /"reader":"ada"/)
      await page.close()
    })
  }

  test('signed.ts trusts the signature alone', async () => {
    await start('signed.ts', 'signed.localhost', { audience: 'https://signed.example.org' })
    assert.equal((await visit('signed.localhost', '/')).status, 401)
    assert.equal((await visit('signed.localhost', '/', await tokenOf('bob'))).status, 403)
    const known = await visit('signed.localhost', '/', await tokenOf('ada'))
    assert.deepEqual([known.status, known.body], [200, 'ada\n'])
  })

  test('sign_in.ts signs users in and out by OpenID Connect', async () => {
    const stage = await startProvider()
    try {
      const port = await freePort()
      const origin = `http://localhost:${port}`
      const { client_secret } = await stage.daemon.hero.clients.add({
        anyone: true,
        name: 'Notes',
        client: 'notes',
        redirect_uris: [`${origin}/callback`],
        post_logout_redirect_uris: [origin],
        first_party: true,
      })
      const env = { ...process.env, ISSUER: stage.issuer, CLIENT_SECRET: client_secret! }
      const child = spawn(process.execPath, [join(folder, 'sign_in.ts'), String(port)], {
        env,
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      running.push(child)
      await once(child.stdout, 'data')
      const person = new Person()
      const page = await person.signIn(await person.open(`${origin}/me`), 'ada', goodPassword)
      const { name, email, groups } = JSON.parse(page.text) as Record<string, unknown>
      assert.deepEqual([name, email, groups], ['Ada Lovelace', 'ada@example.org', ['admin']])
      assert.match((await person.open(origin)).text, /Hello, Ada Lovelace/)
      const asked = await person.open(`${origin}/logout`)
      const left = await person.submit(asked, '/oauth/logout/confirm', { logout: 'yes' })
      assert.match(left.text, /Sign in/)
    } finally {
      await stage.daemon.close()
    }
  })

  test('revoked.ts ends its streams with the session, even those opened without the proxy', async () => {
    const port = await start('revoked.ts', 'revoked.localhost')
    const ada = { 'x-hero-user': 'ada', 'x-hero-context': '1', 'x-hero-claims': 'users.ada' }
    const onward = request({ host: '127.0.0.1', port, agent: false, headers: ada }).end()
    onward.on('error', () => {})
    const [stream] = (await once(onward, 'response')) as [IncomingMessage]
    const ended = new Promise((resolve) => stream.on('error', resolve).on('close', resolve))
    assert.match(String(((await once(stream, 'data')) as [Buffer])[0]), /hello ada/)
    await daemon.hero.as(await tokenOf('ada')).auth.logout()
    await ended
  })

  test('every example is started by a test', () => {
    // service.ts and people.ts belong to the tour of the README.
    const started = [
      'express.ts',
      'fastify.ts',
      'hono.ts',
      'node-http.ts',
      'people.ts',
      'revoked.ts',
      'service.ts',
      'sign_in.ts',
      'signed.ts',
      'verify_token.py',
    ]
    assert.deepEqual(readdirSync(folder).sort(), started)
  })
})
