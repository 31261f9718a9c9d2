import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, test } from 'node:test'
import { startTestDaemon, type TestDaemon } from '../support/daemon.ts'

let daemon: TestDaemon
before(async () => {
  daemon = await startTestDaemon()
})
after(() => daemon.close())

const message = '{"jsonrpc":"2.0","id":1,"method":"health"}'

for (const [place, open] of [
  ['at the edge', () => connect(daemon.edge.port, '127.0.0.1')],
  ['on the socket', () => connect(daemon.socketPath)],
] as const) {
  test(`a client that sends Expect: 100-continue is answered, ${place}`, async () => {
    const socket = open()
    let text = ''
    let sent = false
    await new Promise<void>((resolve, reject) => {
      socket.on('error', reject)
      socket.on('close', () => resolve())
      socket.on('data', (bytes) => {
        text += String(bytes)
        if (!sent && text.startsWith('HTTP/1.1 100 ')) {
          sent = true
          socket.write(message)
        }
      })
      socket.write(
        `POST /rpc HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nConnection: close\r\nContent-Length: ${message.length}\r\n\r\n`,
      )
    })
    assert.match(text, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK[^]*"status":"ok"/)
  })
}
