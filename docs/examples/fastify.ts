// Fastify behind the door: npx node docs/examples/fastify.ts [port]
import fastify, { type FastifyRequest } from 'fastify'
import { heroFastify, type Identity } from '../../sdk/index.ts'

type WithHero = FastifyRequest & { hero?: Identity }

const app = fastify()
app.addHook('onRequest', heroFastify())
app.get('/', async (request: WithHero) => `Hello, ${request.hero?.username ?? 'guest'}.\n`)
app.get('/tickets', { onRequest: heroFastify('engineers.*') }, async (request: WithHero) => ({
  tickets: [],
  reader: request.hero!.username,
}))
await app.listen({ host: '127.0.0.1', port: Number(process.argv[2] ?? 3002) })
console.log('listening')
