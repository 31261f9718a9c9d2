import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { createHash } from 'node:crypto'
import { connect } from 'node:net'
import { signRequest } from '../../../sdk/index.ts'
import { ask, askRaw } from '../../support/http.ts'
import { startUpstream, valuesOf, type Upstream } from '../../support/upstream.ts'
import { newKey } from '../mode_stage.ts'
import { host } from '../../support/signing.ts'
import { got, startStage, type Stage } from '../../support/edge_stage.ts'

describe('bodies of signed requests', () => {
  let stage: Stage
  let upstream: Upstream
  const { privateKey, pubkey: known } = newKey()
  /** SHA-256 of the bodies that the upstream received. */
  const arrived: string[] = []
  before(async () => {
    stage = await startStage()
    upstream = await startUpstream((request, response) => {
      const digest = createHash('sha256')
      request.on('data', (chunk: Buffer) => digest.update(chunk))
      request.on('end', () => {
        arrived.push(digest.digest('hex'))
        response.end(JSON.stringify({ rawHeaders: request.rawHeaders }))
      })
    })
    const { target } = upstream
    await stage.route({ domain: host, auth_mode: 'signature', target })
    await stage.daemon.hero.users.keys.add({ user: 'ada', pubkey: known })
  })
  after(async () => {
    await upstream.close()
    await stage.close()
  })

  const sign = (method: string, body?: string | Buffer, path = '/') =>
    Object.entries(signRequest({ method, host, path, body, privateKey }))
  const lines = (headers: [string, string][]) =>
    headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')

  test('a chunked body is forwarded with Content-Length, and unsigned trailers are dropped', async () => {
    const answer = await askRaw(
      stage.daemon,
      `POST / HTTP/1.1\r\nHost: ${host}\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n${lines(sign('POST', 'hello world'))}\r\n6\r\nhello \r\n5\r\nworld\r\n0\r\nX-Hero-User: root\r\n\r\n`,
    )
    assert.match(answer, /^HTTP\/1\.1 200 /)
    assert.equal(arrived.at(-1), createHash('sha256').update('hello world').digest('hex'))
    const { rawHeaders } = upstream.seen.at(-1)!
    assert.deepEqual(valuesOf(rawHeaders, 'content-length'), ['11'])
    assert.deepEqual(valuesOf(rawHeaders, 'transfer-encoding'), [])
    assert.deepEqual(valuesOf(rawHeaders, 'x-hero-user'), ['ada'])
  })

  test('a body over 10 MiB gets 413, whether its length is declared or found while reading', async () => {
    const most = 10 * 1024 * 1024
    const large = Buffer.alloc(most, 'a')
    const post = (body: Buffer, headers: [string, string][]) =>
      ask(stage.daemon, host, '/', { method: 'POST', headers: headers.flat(), body })
    assert.equal((await post(large, sign('POST', large))).status, 200)
    assert.deepEqual(valuesOf(upstream.seen.at(-1)!.rawHeaders, 'content-length'), [String(most)])
    assert.equal(arrived.at(-1), createHash('sha256').update(large).digest('hex'))
    const before = upstream.seen.length
    const headers = lines(sign('POST', Buffer.alloc(most + 1, 'a')))
    const head = `POST / HTTP/1.1\r\nHost: ${host}\r\n${headers}`
    assert.match(await askRaw(stage.daemon, `${head}Content-Length: ${most + 1}\r\n\r\n`), /^HTTP\/1\.1 413 /)
    const size = (most + 1).toString(16)
    const chunked = Buffer.concat([
      Buffer.from(`${head}Transfer-Encoding: chunked\r\n\r\n${size}\r\n`),
      large,
      Buffer.from('a'),
    ])
    assert.match(await askRaw(stage.daemon, chunked), /^HTTP\/1\.1 413 /)
    assert.equal(upstream.seen.length, before)
  })

  test('the max_body of the route counts as well', async () => {
    const domain = 'small.localhost'
    await stage.route({ domain, auth_mode: 'signature', max_body: 4 })
    for (const [body, status] of [
      ['1234', 200],
      ['12345', 413],
    ] as const) {
      const headers = Object.entries(
        signRequest({ method: 'POST', host: domain, path: '/', body, privateKey }),
      )
      const answer = await ask(stage.daemon, domain, '/', { method: 'POST', headers: headers.flat(), body })
      assert.equal(answer.status, status)
    }
  })

  test('an unknown key gets 401 instead of 100 (Continue), a known one is asked for the body', async () => {
    const expect = (headers: string) =>
      askRaw(
        stage.daemon,
        `POST / HTTP/1.1\r\nHost: ${host}\r\n${headers}Content-Length: 5\r\nExpect: 100-continue\r\n\r\n`,
      )
    assert.match(await expect(''), /^HTTP\/1\.1 401 /)
    assert.match(
      await expect(lines(sign('POST', 'hello')).replace(known, newKey().pubkey)),
      /^HTTP\/1\.1 401 /,
    )
    assert.equal(await expect(lines(sign('POST', 'hello'))), 'HTTP/1.1 100 Continue\r\n\r\n')
    const asked = await new Promise<string>((resolve) => {
      const socket = connect(stage.daemon.edge.port, '127.0.0.1')
      let text = ''
      socket.setEncoding('latin1')
      socket.on('data', (chunk: string) => {
        text += chunk
        if (text.endsWith('Continue\r\n\r\n')) socket.write('hello')
        if (text.includes('rawHeaders')) socket.end()
      })
      socket.on('close', () => resolve(text))
      socket.write(
        `POST / HTTP/1.1\r\nHost: ${host}\r\n${lines(sign('POST', 'hello'))}Content-Length: 5\r\nExpect: 100-continue\r\n\r\n`,
      )
    })
    assert.match(asked, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 /)
  })

  test('what is revoked while the body arrives stops the request before it is forwarded', async () => {
    const { hero } = stage.daemon
    const domain = 'revoked.localhost'
    const { id: route } = await stage.route({
      domain,
      auth_mode: 'signature',
      required_claims: ['app.use'],
      target: upstream.target,
    })
    const user = async (username: string) => {
      await hero.users.add({ username, email: `${username}@example.org` })
      await hero.groups.add_member({ group: 'team', user: username })
      const key = newKey()
      const { id } = await hero.users.keys.add({ user: username, pubkey: key.pubkey })
      return { id, privateKey: key.privateKey }
    }
    const revocations: Readonly<Record<string, (key: string, username: string) => Promise<unknown>>> = {
      key: (id, username) => hero.users.keys.remove({ user: username, id }),
      person: (_, username) => hero.users.update({ username, is_active: false }),
      removed: (_, username) => hero.users.remove({ username }),
      membership: (_, username) => hero.groups.remove_member({ group: 'team', user: username }),
      rule: () => hero.proxy.routes.update({ id: route, required_claims: ['app.other'] }),
      route: () => hero.proxy.routes.update({ id: route, enabled: false }),
    }
    const names = Object.keys(revocations)
    for (const framing of ['length', 'chunked'])
      for (const what of ['nothing', ...names]) {
        await hero.proxy.routes.update({ id: route, required_claims: ['app.use'], enabled: true })
        const username = `${what}-${framing}`
        const { id, privateKey } = await user(username)
        const signed = Object.entries(
          signRequest({ method: 'POST', host: domain, path: '/', body: 'hello', privateKey }),
        )
        const before = upstream.seen.length
        const status = await new Promise<string>((resolve) => {
          const socket = connect(stage.daemon.edge.port, '127.0.0.1')
          let text = ''
          socket.on('data', (bytes: Buffer) => (text += bytes.toString('latin1')))
          socket.on('close', () => resolve(text.slice(9, 12)))
          const head = `POST / HTTP/1.1\r\nHost: ${domain}\r\nConnection: close\r\n${lines(signed)}`
          if (framing === 'length') socket.write(`${head}Content-Length: 5\r\n\r\nhel`)
          else socket.write(`${head}Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n`)
          setTimeout(async () => {
            await revocations[what]?.(id, username)
            socket.write(framing === 'length' ? 'lo' : '2\r\nlo\r\n0\r\n\r\n')
          }, 100)
        })
        if (what === 'nothing') assert.equal(status, '200')
        else assert.match(status, /^(401|403|404)$/, what)
        assert.equal(upstream.seen.length - before, what === 'nothing' ? 1 : 0, what)
      }
  })

  test('an incomplete body is not forwarded and does not use up the nonce', async () => {
    const before = upstream.seen.length
    const headers = sign('POST', 'hello')
    await new Promise<void>((resolve) => {
      const socket = connect(stage.daemon.edge.port, '127.0.0.1')
      socket.on('close', () => resolve())
      socket.write(`POST / HTTP/1.1\r\nHost: ${host}\r\n${lines(headers)}Content-Length: 5\r\n\r\nhel`, () =>
        setTimeout(() => socket.resetAndDestroy(), 50),
      )
    })
    assert.equal(upstream.seen.length, before)
    const answer = await ask(stage.daemon, host, '/', {
      method: 'POST',
      headers: headers.flat(),
      body: 'hello',
    })
    assert.equal(answer.status, 200)
  })

  test('an upgrade is signed with an empty body and cannot be replayed', async () => {
    const headers = lines(sign('GET', undefined, '/chat'))
    const handshake = `GET /chat HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${headers}\r\n`
    assert.match(await askRaw(stage.daemon, handshake), /^HTTP\/1\.1 200 /)
    assert.deepEqual(valuesOf(upstream.seen.at(-1)!.rawHeaders, 'x-hero-user'), ['ada'])
    assert.match(await askRaw(stage.daemon, handshake), /^HTTP\/1\.1 401 /)
  })

  test('signature headers are forwarded on routes without signatures', async () => {
    await stage.route({ domain: 'hooks.localhost', auth_mode: 'none' })
    const headers = sign('GET').flat()
    const { rawHeaders } = got(await ask(stage.daemon, 'hooks.localhost', '/', { headers }))
    assert.deepEqual(valuesOf(rawHeaders, 'x-signature').length, 1)
    assert.deepEqual(valuesOf(rawHeaders, 'x-signature-nonce').length, 1)
  })

  test('beyond 64 MiB of bodies in flight requests get 503 with Retry-After, until memory is free again', async () => {
    const part = Buffer.alloc(10 * 1024 * 1024 - 1, 'a')
    const begin = () => {
      const socket = connect(stage.daemon.edge.port, '127.0.0.1')
      const answered = new Promise<string>((resolve) =>
        socket.once('data', (bytes) => resolve(String(bytes))),
      )
      socket.on('error', () => {})
      const headers = lines(sign('POST', Buffer.concat([part, Buffer.from('a')])))
      socket.write(`POST / HTTP/1.1\r\nHost: ${host}\r\nContent-Length: ${part.length + 1}\r\n${headers}\r\n`)
      const written = new Promise((resolve) => socket.write(part, resolve))
      return { socket, answered, written }
    }
    const open = Array.from({ length: 7 }, begin)
    const first = await Promise.race(open.map(({ answered }) => answered))
    assert.match(first, /^HTTP\/1\.1 503 /)
    assert.match(first, /\r\nretry-after: 5\r\n/i)
    for (const { socket } of open) socket.destroy()
    // Memory is free once the daemon has noticed the closed connections: within the 5 s of Retry-After.
    let afterwards = ''
    for (let attempt = 0; attempt < 50 && !afterwards.startsWith('HTTP/1.1 200 '); attempt++) {
      await new Promise((resolve) => setTimeout(resolve, 100))
      const again = begin()
      void again.written.then(() => again.socket.write('a'))
      afterwards = await again.answered
      again.socket.destroy()
    }
    assert.match(afterwards, /^HTTP\/1\.1 200 /)
  })
})
