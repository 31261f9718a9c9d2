import assert from 'node:assert/strict'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect, type ConnectionOptions, type PeerCertificate, type TLSSocket } from 'node:tls'
import type { TestDaemon } from './daemon.ts'

type Door = Pick<TestDaemon, 'edge'>

export const shake = async (daemon: Door, options: ConnectionOptions): Promise<TLSSocket> => {
  const { port } = daemon.edge
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...options })
  await once(socket, 'secureConnect')
  return socket
}

/** Returns the certificate that the edge presents for `servername`. */
export const shownTo = async (daemon: Door, servername?: string): Promise<Partial<PeerCertificate>> => {
  const socket = await shake(daemon, servername === undefined ? {} : { servername })
  const certificate = socket.getPeerCertificate()
  socket.destroy()
  return certificate
}

/** The names in that certificate. */
export const shown = async (daemon: Door, servername?: string): Promise<string | undefined> =>
  (await shownTo(daemon, servername)).subjectaltname

export const until = async (what: string, holds: () => Promise<boolean> | boolean): Promise<void> => {
  for (let i = 0; i < 200; i++) {
    if (await holds()) return
    await sleep(100)
  }
  assert.fail(`not within 20 seconds: ${what}`)
}
