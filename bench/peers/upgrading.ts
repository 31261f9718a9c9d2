// A service on the Unix socket argv[2] that accepts every upgrade and then echoes what it receives.
// It answers all other requests with the identity that arrived, like the other upstreams at /seen.
import { createHash } from 'node:crypto'
import { createServer } from 'node:http'

const guid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

createServer((request, response) => {
  response.end(`${request.headers['x-hero-user']} ${request.headers['x-hero-claims']}`)
})
  .on('upgrade', (request, socket) => {
    const key = request.headers['sec-websocket-key']
    const accept = createHash('sha1').update(`${key}${guid}`).digest('base64')
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    )
    socket.on('error', () => socket.destroy())
    socket.pipe(socket)
  })
  .listen({ path: process.argv[2], backlog: 2048 })
