import assert from 'node:assert/strict'
import { connect } from 'node:tls'
import { after, before, describe, test } from 'node:test'
import { connect as connectHttp2 } from 'node:http2'
import { startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { TestAuthority } from '../support/pem.ts'
import { startUpstream, type Upstream } from '../support/upstream.ts'

describe('a TLS connection that was opened for another name', () => {
  let daemon: TestDaemon
  let upstream: Upstream
  let authority: TestAuthority
  before(async () => {
    authority = new TestAuthority()
    const { cert, key } = authority.issue('id.example.org', '*.example.org')
    daemon = await startTestDaemon({ public_url: 'https://id.example.org', tls_cert: cert, tls_key: key })
    upstream = await startUpstream()
    const { routes } = daemon.hero.proxy
    for (const domain of ['*.example.org', 'wiki.example.org'])
      await routes.add({ domain, target: upstream.target, auth_mode: 'none' })
  })
  after(async () => {
    await daemon.close()
    await upstream.close()
    authority[Symbol.dispose]()
  })

  /** The statuses of requests for these hosts, one after another on one connection. */
  const overHttp1 = (servername: string, hosts: readonly string[]) =>
    new Promise<number[]>((resolve, reject) => {
      const socket = connect({ port: daemon.edge.port, host: '127.0.0.1', servername, ca: authority.caPem })
      const statuses: number[] = []
      let text = ''
      const next = () => socket.write(`GET /x HTTP/1.1\r\nHost: ${hosts[statuses.length]}\r\n\r\n`)
      socket.on('data', (chunk: Buffer) => {
        text += chunk.toString('latin1')
        const [head = '', body] = text.split('\r\n\r\n')
        const length = Number(/content-length: (\d+)/i.exec(head)?.[1])
        if (body === undefined || body.length < length) return
        text = ''
        statuses.push(Number(head.slice(9, 12)))
        if (statuses.length < hosts.length) next()
        else socket.destroy()
      })
      socket.on('error', reject)
      socket.on('close', () => resolve(statuses))
      next()
    })
  const overHttp2 = async (servername: string, hosts: readonly string[]) => {
    const session = connectHttp2(`https://127.0.0.1:${daemon.edge.port}`, { servername, ca: authority.caPem })
    const statuses: number[] = []
    for (const host of hosts)
      statuses.push(
        await new Promise<number>((resolve, reject) => {
          const stream = session.request({ ':authority': host, ':path': '/x' })
          stream.on('response', (headers) => resolve(headers[':status']!))
          stream.on('error', reject)
          stream.resume()
        }),
      )
    session.close()
    return statuses
  }

  for (const [version, over] of Object.entries({ 'HTTP/1.1': overHttp1, 'HTTP/2': overHttp2 }))
    test(`does not reach a wildcard's service at another name, nor an unknown host, over ${version}`, async () => {
      const hosts = [
        'app.example.org',
        'app.example.org',
        'other.example.org',
        'wiki.example.org',
        'nobody.test',
        'app.example.org',
      ]
      assert.deepEqual(await over('app.example.org', hosts), [200, 200, 421, 200, 421, 200])
      assert.deepEqual(await over('id.example.org', ['app.example.org', 'wiki.example.org']), [421, 200])
    })
})
