// Express behind the door: npx node docs/examples/express.ts [port]
import express from 'express'
import { heroExpress, type Identity } from '../../sdk/index.ts'

type WithHero = express.Request & { hero?: Identity }

const app = express()
app.use(heroExpress())
app.get('/', (request: WithHero, response) => {
  response.type('text/plain').send(`Hello, ${request.hero?.username ?? 'guest'}.\n`)
})
app.get('/tickets', heroExpress('engineers.*'), (request: WithHero, response) => {
  response.json({ tickets: [], reader: request.hero!.username })
})
app.listen(Number(process.argv[2] ?? 3001), '127.0.0.1', () => console.log('listening'))
