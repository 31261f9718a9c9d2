import assert from 'node:assert/strict'
import dns from 'node:dns'
import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import { syncBuiltinESMExports } from 'node:module'
import { performance } from 'node:perf_hooks'
import { after, before, suite, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { guardedFetch, type ProviderFault } from '../../src/providers/guarded_fetch.ts'
import { isPublic } from '../../src/wire/outgoing_addresses.ts'
import { App, callback, newPerson, pkce, startProvider, type Provider } from '../support/openid_stage.ts'
import { freePort } from '../support/free_port.ts'

const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!

/** Answers every look-up with these addresses, whatever the name. */
const resolvingTo = async <T>(addresses: readonly string[], work: () => Promise<T>): Promise<T> => {
  const { lookup } = dns
  const found = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))
  dns.lookup = ((name: string, options: object, done: (error: null, all: object[]) => void) =>
    /example\.(org|com)$/.test(name) ? done(null, found) : lookup(name, options, done as never)) as never
  syncBuiltinESMExports()
  try {
    return await work()
  } finally {
    dns.lookup = lookup
    syncBuiltinESMExports()
  }
}

suite('addresses that strangers name', () => {
  let stage: Provider
  let listener: Server
  let port: number
  let connections = 0
  before(async () => {
    stage = await startProvider()
    // Silent, but it notices every connection.
    listener = createServer((socket) => {
      connections++
      socket.unref().on('error', () => {})
    }).listen(0, '::')
    await once(listener, 'listening')
    port = (listener.address() as { port: number }).port
  })
  after(async () => {
    listener.close()
    await stage.daemon.close()
  })

  /** Opens a request of a client that has this URL as its name; returns the status and the milliseconds that it took. */
  const visit = async (client: string) => {
    const app = new App(stage.issuer, { client, client_secret: null })
    const began = performance.now()
    const page = await newPerson().open(app.authorizeUrl(pkce().challenge))
    return { status: page.status, took: performance.now() - began, text: page.text }
  }
  /** Also resets the limit of fetches a minute. */
  const allow = async (value: string) => {
    for (const mode of ['off', value])
      await stage.daemon.hero.settings.set({ key: 'client_metadata_documents', value: mode })
  }

  test('only addresses of the public internet are public, in each spelling', () => {
    const special =
      '0.0.0.0 0.1.2.3 10.0.0.1 100.64.0.1 100.127.255.254 127.0.0.1 169.254.169.254 172.16.0.1 172.31.255.255 192.168.1.1 192.0.0.8 192.0.2.1 198.18.0.1 224.0.0.1 255.255.255.255 :: ::1 ::2 fe80::1 fe80::1%eth0 fec0::1 fc00::1 fd12::1 ::ffff:127.0.0.1 ::ffff:8.8.8.8 0:0:0:0:0:ffff:808:808 ::ffff:0:808:808 ::8.8.8.8 64:ff9b::7f00:1 64:ff9b::808:808 64:ff9b:1::1 100::1 2001::1 2001:db8::1 2002:7f00:1::1 3fff::1 5f00::1 ff02::1 localhost 127.1'
    for (const address of ['', ...special.split(' ')]) assert.equal(isPublic(address), false, address)
    for (const address of ['8.8.8.8', '100.63.255.255', '172.32.0.1', '2606:4700::1', '2a00:1450::1'])
      assert.equal(isPublic(address), true, address)
  })

  test('no connection opens to an address that is not public, however it is written or resolved', async () => {
    const before = connections
    const literals = [
      '127.0.0.1',
      '127.1',
      '2130706433',
      '0x7f.1',
      '0.0.0.0',
      '[::1]',
      '[::]',
      '[::ffff:127.0.0.1]',
    ]
    for (const group of [
      literals,
      ['localhost', 'app.localhost', 'localhost.', '[::ffff:0:7f00:1]', '10.0.0.1'],
    ]) {
      await allow('public')
      const answers = await Promise.all(group.map((host) => visit(`https://${host}:${port}/client`)))
      assert.deepEqual(
        answers.map(({ status }) => status),
        group.map(() => 400),
      )
    }
    await allow('public')
    const resolved = [
      ['127.0.0.1'],
      ['::1'],
      ['::ffff:127.0.0.1'],
      ['0.0.0.0'],
      ['127.0.0.1', '8.8.8.8'],
      ['8.8.8.8', '::1'],
    ]
    for (const [i, addresses] of resolved.entries())
      await resolvingTo(addresses, async () => {
        assert.equal((await visit(`https://app-${i}.example.org:${port}/client`)).status, 400)
      })
    assert.equal(connections, before)
  })

  test('open, closed and silent ports take equal time, allowed or not', { timeout: 60_000 }, async () => {
    const open = createServer(
      (socket) => void socket.on('error', () => {}).end('HTTP/1.1 200 OK\r\n\r\n'),
    ).listen(0, '127.0.0.1')
    await once(open, 'listening')
    const ports = {
      open: (open.address() as { port: number }).port,
      closed: await freePort(),
      silent: port,
    }
    for (const mode of ['public', 'anywhere']) {
      await allow(mode)
      const medians = await Promise.all(
        Object.entries(ports).map(async ([what, at]) => {
          const times: number[] = []
          for (let i = 0; i < 3; i++) times.push((await visit(`https://127.0.0.1:${at}/${what}-${i}`)).took)
          return median(times)
        }),
      )
      assert.ok(Math.max(...medians) - Math.min(...medians) < 300, `${mode}: ${medians.join(', ')}`)
    }
    open.close()
  })

  test('no other address of a client that registered itself is called', async () => {
    await allow('anywhere')
    const { hero } = stage.daemon
    await hero.settings.set({ key: 'client_registration', value: 'open' })
    const before = connections
    const near = `https://127.0.0.1:${port}`
    const answer = await fetch(`${stage.issuer}/oauth/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        redirect_uris: [callback],
        token_endpoint_auth_method: 'none',
        logo_uri: `${near}/logo`,
        client_uri: near,
        policy_uri: `${near}/policy`,
        tos_uri: `${near}/tos`,
        jwks_uri: `${near}/keys`,
        sector_identifier_uri: `${near}/sector`,
        initiate_login_uri: `${near}/begin`,
        request_uris: [`${near}/request`],
        backchannel_logout_uri: `${near}/logout`,
      }),
    })
    assert.equal(answer.status, 201)
    const { client_id } = (await answer.json()) as { client_id: string }
    const app = new App(stage.issuer, { client: client_id, client_secret: null })
    assert.equal((await app.tokens(newPerson(), 'grace', { scope: 'openid' })).status, 200)
    await hero.sessions.revoke_all({ user: 'grace' })
    await setTimeout(1500)
    assert.equal(connections, before)
  })

  test('a provider leads us to public hosts only, unless it is in a private network itself', async () => {
    const fetchFrom = guardedFetch(async () => false, new Set(['login.example.com']))
    const faultOf = (host: string) =>
      fetchFrom(`https://${host}:${port}/keys`, { signal: AbortSignal.timeout(500) }).then(
        () => 'answered',
        (error: ProviderFault) => error.fault,
      )
    const before = connections
    await resolvingTo(['8.8.8.8'], async () => {
      for (const host of ['10.0.0.1', '[fd12::1]', '100.64.0.1', '[::ffff:10.0.0.1]'])
        assert.equal(await faultOf(host), 'local', host)
      assert.notEqual(await faultOf('keys.example.org'), 'local')
    })
    // Everything in one private network, as at home.
    await resolvingTo(['10.255.255.1'], async () => {
      assert.notEqual(await faultOf('login.example.com'), 'local')
      assert.notEqual(await faultOf('keys.example.org'), 'local')
    })
    assert.equal(connections, before)
  })
})
