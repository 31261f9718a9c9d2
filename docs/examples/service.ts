// A service without any login of its own: npx node docs/examples/service.ts
import { createServer } from 'node:http'
import { identityFrom } from '../../sdk/index.ts'

createServer((request, response) => {
  const who = identityFrom(request.headers)
  response.setHeader('content-type', 'text/plain')
  if (!who) return response.end('Hello, guest.\n')
  response.end(`Hello, ${who.username} of context ${who.context}.\nYou may: ${who.claims.join(', ')}\n`)
}).listen(3000, '127.0.0.1', () => console.log('the service listens on http://127.0.0.1:3000'))
