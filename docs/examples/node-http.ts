// node:http behind the door: npx node docs/examples/node-http.ts [port]
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { withIdentity } from '../../sdk/index.ts'

const greet = withIdentity(undefined, (_: IncomingMessage, response: ServerResponse, who) => {
  response.setHeader('content-type', 'text/plain')
  response.end(`Hello, ${who?.username ?? 'guest'}.\n`)
})
const tickets = withIdentity('engineers.*', (_: IncomingMessage, response: ServerResponse, who) => {
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify({ tickets: [], reader: who.username }))
})

createServer((request, response) => (request.url === '/tickets' ? tickets : greet)(request, response)).listen(
  Number(process.argv[2] ?? 3000),
  '127.0.0.1',
  () => console.log('listening'),
)
