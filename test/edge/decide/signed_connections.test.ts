import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { after, before, test } from 'node:test'
import { signRequest } from '../../../sdk/index.ts'
import { newKey } from '../mode_stage.ts'
import { startStage, type Stage } from '../../support/edge_stage.ts'

let stage: Stage
const host = 'signed.localhost'
before(async () => {
  stage = await startStage()
  stage.upstream.server.on('upgrade', (_, socket) => {
    socket.on('error', () => {})
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n')
  })
  await stage.route({ domain: host, auth_mode: 'signature' })
})
after(() => stage.close())

/** A connection opened by a signed request. */
const open = async (privateKey: ReturnType<typeof newKey>['privateKey']): Promise<Socket> => {
  const signed = Object.entries(signRequest({ method: 'GET', host, path: '/', privateKey }))
  const headers = signed.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  const socket = connect(stage.daemon.edge.port, '127.0.0.1')
  socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: echo\r\n${headers}\r\n`)
  const [first] = (await once(socket, 'data')) as [Buffer]
  assert.match(String(first), /^HTTP\/1\.1 101 /)
  return socket
}

/** Resolves when the connection ends, in any way. */
const ended = (socket: Socket) =>
  new Promise<void>((resolve) => {
    socket.on('error', () => {})
    socket.once('close', () => resolve())
  })

test('a signed connection stays open, beyond the age of its signature, until its key or user loses access', async () => {
  const { hero } = stage.daemon
  const [kept, lost] = [newKey(), newKey()]
  await hero.users.keys.add({ user: 'ada', pubkey: kept.pubkey })
  const { id } = await hero.users.keys.add({ user: 'ada', pubkey: lost.pubkey })
  const staying = await open(kept.privateKey)
  const leaving = await open(lost.privateKey)
  const closed = ended(leaving)
  await hero.users.keys.remove({ user: 'ada', id })
  leaving.resume()
  await closed
  assert.equal(staying.destroyed, false)
  const left = ended(staying)
  staying.resume()
  await hero.users.update({ username: 'ada', is_active: false })
  await left
})
