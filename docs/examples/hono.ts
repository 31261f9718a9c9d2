// Hono behind the door: npx node docs/examples/hono.ts [port]
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { heroHono, type Identity } from '../../sdk/index.ts'

const app = new Hono<{ Variables: { hero: Identity | undefined } }>()
app.use(heroHono())
app.get('/', (context) => context.text(`Hello, ${context.get('hero')?.username ?? 'guest'}.\n`))
app.get('/tickets', heroHono('engineers.*'), (context) =>
  context.json({ tickets: [], reader: context.get('hero')!.username }),
)
serve({ fetch: app.fetch, hostname: '127.0.0.1', port: Number(process.argv[2] ?? 3003) }, () =>
  console.log('listening'),
)
