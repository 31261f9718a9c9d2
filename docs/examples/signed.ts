// A service that trusts no network, only the signature: npx node docs/examples/signed.ts [port]
// Its route has the audience: hero-proxy call proxy.routes.add … --audience https://signed.example.org
import { createServer } from 'node:http'
import { HeroProxy, Unauthenticated, satisfiesRule, verifyAssertion } from '../../sdk/index.ts'

const identify = verifyAssertion(new HeroProxy(), { audience: 'https://signed.example.org' })

createServer((request, response) => {
  identify(request.headers).then(
    ({ username, claims }) => {
      response.writeHead(satisfiesRule('engineers.*', claims) ? 200 : 403).end(`${username}\n`)
    },
    (error: Error) =>
      response.writeHead(error instanceof Unauthenticated ? 401 : 500).end(`${error.message}\n`),
  )
}).listen(Number(process.argv[2] ?? 3004), '127.0.0.1', () => console.log('listening'))
