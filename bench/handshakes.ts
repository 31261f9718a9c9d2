import { connect, createSecureContext, type TLSSocket } from 'node:tls'
import type { Place } from './ask.ts'
import { cipher, group } from './peers/nginx_tls.ts'

const atOnce = 16
const seconds = 2

const secureContext = createSecureContext({ minVersion: 'TLSv1.3', ciphers: cipher, ecdhCurve: group })

/** Opens a connection, sends one GET and closes it. `session` resumes an earlier session. Returns the last session from the server. */
const getOnce = (place: Place, session?: Buffer): Promise<Buffer | undefined> =>
  new Promise((resolve, reject) => {
    const { port, host, cookie } = place
    let text = ''
    let given: Buffer | undefined
    const socket: TLSSocket = connect({
      host: '127.0.0.1',
      port,
      servername: host,
      secureContext,
      session,
      ALPNProtocols: ['http/1.1'],
      rejectUnauthorized: false,
    })
    socket.on('secureConnect', () => {
      if (socket.isSessionReused() !== (session !== undefined))
        socket.destroy(new Error(`${host}: the session was ${session ? 'not ' : ''}resumed`))
    })
    socket.on('session', (bytes: Buffer) => (given = bytes))
    socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')))
    socket.on('error', reject)
    socket.on('close', () => {
      if (text.startsWith('HTTP/1.1 200 ')) resolve(given)
      else reject(new Error(`a new connection was answered with ${text.slice(0, 200)}`))
    })
    socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\nCookie: ${cookie}\r\nConnection: close\r\n\r\n`)
  })

/** A session that can be resumed. */
export const sessionOf = async (place: Place): Promise<Buffer> => {
  const session = await getOnce(place)
  if (!session) throw new Error('the server issued no session ticket')
  return session
}

/** Fails if the server issues session tickets, which cost time in every handshake. */
export const issuesNone = async (name: string, place: Place): Promise<void> => {
  if (await getOnce(place)) throw new Error(`${name} issues session tickets`)
}

/** Opens connections for two seconds, several at a time, each for one GET. Returns their number. */
export const handshakes = async (place: Place, session?: Buffer): Promise<number> => {
  const until = performance.now() + seconds * 1000
  let count = 0
  const oneAfterAnother = async () => {
    for (; performance.now() < until; count++) await getOnce(place, session)
  }
  await Promise.all(Array.from({ length: atOnce }, oneAfterAnother))
  return count
}
