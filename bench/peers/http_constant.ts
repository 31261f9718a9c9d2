// A bare node:http server on the Unix socket argv[2].
// It answers every request with argv[3]. Without argv[3] it answers with identity headers and no body, as nginx auth_request and Caddy
// forward_auth expect.
import { createServer } from 'node:http'
import { claims } from './configurations.ts'

const [, , path, body] = process.argv
const identity = {
  'x-hero-user': 'ada',
  'x-hero-context': '1',
  'x-hero-claims': claims,
  'x-proxy-user-email': 'ada@example.org',
  'content-length': 0,
}
createServer((request, response) => {
  if (body === undefined) {
    response.writeHead(200, identity).end()
    return
  }
  request.resume()
  request.on('end', () => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) })
    response.end(body)
  })
}).listen(path)
