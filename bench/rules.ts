// What the rule of an application costs: a sign-in at /authorize and an introspection, with it and without.
import { HeroProxy } from '../sdk/index.ts'
import { App, callback, newPerson } from '../test/support/openid_stage.ts'
import { addPerson, newInstance, person } from './daemon.ts'
import { formPost, post } from './posts.ts'
import { eventually, serverCore, takeGeneratorCore } from './processes.ts'
import { figures, heading, spreadText, table } from './report.ts'
import { roundsOr, takeTurns, untilSteady, type Contestant } from './round.ts'

takeGeneratorCore()

const instance = await newInstance()
const { port } = instance
const issuer = `http://localhost:${port}`
const server = instance.start(serverCore, '--public-url', issuer)
const hero = new HeroProxy({ socket: instance.socketPath, timeout: 60_000 })
await addPerson(hero)
const rules = {
  'no rule': { anyone: true },
  'a rule': { required_claims: ['groups.engineers', 'wiki.admin'], proof_age: 86_400 },
}

/** A GET of a person who is signed in and has agreed before. Everything after it happens without a page. */
const authorize = (url: URL, cookie: string): Buffer =>
  Buffer.from(
    `GET ${url.pathname}${url.search} HTTP/1.1\r\nHost: localhost:${port}\r\nCookie: ${cookie}\r\n` +
      'Accept: text/html\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n\r\n',
  )

const contestants: Contestant[] = []
for (const [name, rule] of Object.entries(rules)) {
  const client = await hero.clients.add({
    client: name.replace(' ', '-'),
    name,
    redirect_uris: [callback],
    first_party: true,
    ...rule,
  })
  const app = new App(issuer, client)
  const browser = newPerson()
  const { body } = await eventually(() => app.tokens(browser, person.username))
  const url = app.authorizeUrl()
  const ask = authorize(url, browser.cookiesAt(url))
  const introspect = formPost('/oauth/introspect', port, client.client, client.client_secret!, {
    token: body.access_token,
  })
  contestants.push(
    {
      name: `/authorize, ${name}`,
      measure: () => post({ port, server, requests: [ask], expect: `${callback}?code=` }),
    },
    {
      name: `introspection, ${name}`,
      measure: () => post({ port, server, requests: [introspect], expect: '"active":true' }),
    },
  )
}
hero.close()
const results = await takeTurns(contestants, roundsOr(7), untilSteady)
await server.stop()

heading('The rule of an application, one core', {})
table([
  ['', 'per second', 'µs on the processor'],
  ...contestants.map(({ name }) => [name, spreadText(results.of(name)), spreadText(results.of(name, 'cpu'))]),
])
const cost = (what: string) => results.ratio(`${what}, no rule`, `${what}, a rule`, 'cpu').median
const rate = (what: string) => results.ratio(`${what}, a rule`, `${what}, no rule`).median
figures(
  'rules',
  {
    authorize_vs_without: cost('/authorize'),
    introspection_vs_without: cost('introspection'),
    authorize_rate_vs_without: rate('/authorize'),
    introspection_rate_vs_without: rate('introspection'),
  },
  results,
)
process.exit(0)
