import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { onBothDatabases } from '../support/databases.ts'
import { goodPassword } from '../support/daemon.ts'
import { client, run, until, type Client, type Running } from '../support/running_daemon.ts'
import { oneToEach, pidsOf } from './each_worker.ts'

const cookieOf = (headers: { 'set-cookie'?: string[] }, part: string) =>
  headers['set-cookie']?.find((line) => line.includes(part))?.split(';')[0] ??
  assert.fail(`no ${part} cookie`)

/** Fetches the form from one worker and posts it to another, then goes on to the service, each step at the other worker. */
const signInAcross = async (shows: Client, takes: Client): Promise<string> => {
  const page = await shows.ask('localhost', '/auth/login', { headers: ['Accept', 'text/html'] })
  const token = /name="form_token" value="([^"]+)"/.exec(page.body)![1]!
  const answer = await takes.ask('localhost', '/auth/login', {
    method: 'POST',
    headers: [
      'Content-Type',
      'application/x-www-form-urlencoded',
      'Accept',
      'text/html',
      'Cookie',
      cookieOf(page.headers, 'form'),
    ],
    body: new URLSearchParams({
      form_token: token,
      login: 'ada',
      password: goodPassword,
      return_to: '/',
    }).toString(),
  })
  assert.equal(answer.status, 303, answer.body)
  const open = async (at: Client, address: string, cookie: string) => {
    const { hostname, pathname, search } = new URL(address)
    const headers = ['Accept', 'text/html', 'Cookie', cookie]
    const led = await at.ask(hostname, pathname + search, { headers })
    return { headers: led.headers, location: led.headers.location ?? assert.fail(`${address}: ${led.body}`) }
  }
  const left = await open(shows, 'http://app.localhost/.hero_proxy/sign_in', '')
  const sent = await open(takes, left.location, cookieOf(answer.headers, 'session'))
  const arrived = await open(shows, sent.location, cookieOf(left.headers, 'arrival'))
  return cookieOf(arrived.headers, 'session')
}

const call = async (at: Client, token: string, method: string, params: object = {}) => {
  const answer = await at.ask('localhost', '/rpc', {
    method: 'POST',
    headers: ['Content-Type', 'application/json', 'Authorization', `Bearer ${token}`],
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  })
  const { result, error } = JSON.parse(answer.body) as { result?: unknown; error?: { message: string } }
  if (error) throw new Error(error.message)
  return result as Record<string, unknown>
}

onBothDatabases('three workers and the daemon act as one', (newUrl, kind) => {
  let running: Running
  let each: Client[]
  let pids: readonly number[]
  before(async () => {
    running = await run({ HERO_PROXY_WORKERS: '3', HERO_PROXY_DATABASE_URL: newUrl() })
    const { hero, upstream } = running
    await hero.proxy.routes.add({ domain: 'app.localhost', target: upstream.target, auth_mode: 'local' })
    pids = await pidsOf(running, 3)
    each = await oneToEach(running, pids)
  })
  after(async () => {
    for (const one of each) one.close()
    await running[Symbol.asyncDispose]()
  })

  const app = async (at: Client, cookie: string) =>
    (await at.ask('app.localhost', '/', { headers: ['Cookie', cookie] })).status

  test('a form of one worker is accepted by another, and its session is valid on 20 connections', async () => {
    const cookie = await signInAcross(each[0]!, each[1]!)
    for (const one of each) assert.equal(await app(one, cookie), 200)
    const fresh = client(running.daemon.edge.port, false)
    const answers = await Promise.all(Array.from({ length: 20 }, () => app(fresh, cookie)))
    assert.deepEqual(new Set(answers), new Set([200]))
  })

  test('a change made anywhere applies to the next request at every worker', async () => {
    const { hero, upstream } = running
    for (let round = 0; round < 10; round++) {
      const cookies = [await signInAcross(each[1]!, each[2]!), await signInAcross(each[2]!, each[0]!)]
      for (const one of each) for (const cookie of cookies) assert.equal(await app(one, cookie), 200)
      const [newest] = (await hero.sessions.list({ user: 'ada' })).items
      await hero.sessions.revoke({ id: newest!.id })
      for (const one of each) assert.equal(await app(one, cookies[1]!), 401, 'revoked at the daemon')
      // And at a worker, by its own /rpc.
      const { access_token } = await hero.auth.login({ login: 'ada', password: goodPassword })
      const { items } = await hero.sessions.list({ user: 'ada' })
      await call(each[round % 3]!, access_token, 'sessions.revoke', { id: items.at(1)!.id })
      for (const one of each) assert.equal(await app(one, cookies[0]!), 401, 'revoked at a worker')
      const domain = `new-${round}.localhost`
      const route = await call(each[round % 3]!, access_token, 'proxy.routes.add', {
        domain,
        target: upstream.target,
        auth_mode: 'none',
      })
      for (const one of each) assert.equal((await one.ask(domain, '/')).status, 200)
      await hero.proxy.routes.remove({ id: route.id as string })
      for (const one of each) assert.equal((await one.ask(domain, '/')).status, 404)
    }
  })

  test('concurrent writes lose nothing and keep the audit chain intact', async () => {
    const { hero } = running
    const { access_token } = await hero.auth.login({ login: 'ada', password: goodPassword })
    const before = (await hero.audit.verify()).rows
    const writers = [...each, undefined].map(async (at, n) => {
      for (let i = 0; i < 25; i++) {
        const params = { username: `${kind}-${n}-${i}` }
        if (at) await call(at, access_token, 'users.add', params)
        else await hero.users.add(params)
      }
    })
    await Promise.all(writers)
    assert.equal((await hero.users.list({ limit: 1000 })).items.length, 101)
    const { rows, first_bad } = await hero.audit.verify()
    assert.deepEqual({ more: rows - before, first_bad }, { more: 100, first_bad: null })
  })

  test('stats covers all workers, whichever of them answers', async () => {
    const { hero } = running
    const { access_token } = await hero.auth.login({ login: 'ada', password: goodPassword })
    const before = (await hero.stats()).edge_requests
    for (const one of each) for (let i = 0; i < 20; i++) await one.ask('open.localhost', '/')
    await until('they are counted', async () => (await hero.stats()).edge_requests >= before + 60)
    const stats = await hero.stats()
    assert.deepEqual(
      stats.workers.map(({ pid }) => pid),
      pids,
    )
    for (const worker of stats.workers) assert.ok(worker.edge_requests >= 20)
    for (const one of each) {
      const reported = () => call(one, access_token, 'stats') as Promise<typeof stats>
      await until(
        'a worker reports the total',
        async () => (await reported()).edge_requests >= stats.edge_requests,
      )
      assert.equal((await reported()).workers.length, 3)
    }
  })
})
