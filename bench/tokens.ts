// Tokens of programs and introspection, compared with oidc-provider alone, and the cost of a hundred thousand clients.
import { hash, randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { HeroProxy } from '../sdk/index.ts'
import { createLog } from '../src/log/log.ts'
import { newId } from '../src/storage/ids.ts'
import { App, newPerson } from '../test/support/openid_stage.ts'
import { addPerson, newInstance, person } from './daemon.ts'
import { Load } from './load.ts'
import { formPost, post } from './posts.ts'
import { eventually, freePort, node, serverCore, takeGeneratorCore } from './processes.ts'
import { figures, heading, table, spreadText } from './report.ts'
import { roundsOr, takeTurns, untilSteady, type Contestant } from './round.ts'
import { openDatabase } from '../src/storage/open_database.ts'

takeGeneratorCore()

const many = 100_000
/** Clients that send requests in turn, regardless of how many exist. */
const asking = 10
/** So many clients in turn that no cached result fits the next request. */
const others = 20_000

const callback = 'http://localhost:4999/callback'
const secret = randomBytes(32).toString('base64url')
const nameOf = (i: number) => `program-${i}`
const spreadOver = (count: number, asked: number) =>
  Array.from({ length: asked }, (_, i) => nameOf(Math.floor((i * count) / asked)))

/** Adds programs with one secret directly to the database: one call for each would take as long as the measurement. */
const addClients = async (url: string, count: number): Promise<void> => {
  const database = await openDatabase(url, createLog('silent'))
  try {
    await database.write(async () => {
      const { query } = database
      const like = await query.selectFrom('clients').selectAll().executeTakeFirstOrThrow()
      const rows = Array.from({ length: count }, (_, i) => ({ ...like, id: newId(), client: nameOf(i) }))
      for (let i = 0; i < rows.length; i += 1000) {
        const chunk = rows.slice(i, i + 1000)
        await query.insertInto('clients').values(chunk).execute()
        const secrets = chunk.map(({ id }) => ({
          client_id: id,
          secret_hash: hash('sha256', secret, 'hex'),
          created_at: 1,
          expires_at: null,
        }))
        await query.insertInto('client_secrets').values(secrets).execute()
      }
      database.changed('clients')
    })
  } finally {
    await database.close()
  }
}

/** A daemon with this many programs, and an application with the access token of a user. */
const openProvider = async (clients: number) => {
  const instance = await newInstance()
  const { port } = instance
  const issuer = `http://localhost:${port}`
  const server = instance.start(serverCore, '--public-url', issuer)
  const hero = new HeroProxy({ socket: instance.socketPath, timeout: 60_000 })
  await addPerson(hero)
  await hero.clients.add({ client: 'like', name: 'A program' })
  const application = await hero.clients.add({
    anyone: true,
    client: 'application',
    name: 'An application',
    redirect_uris: [callback],
    first_party: true,
  })
  await addClients(`sqlite:${instance.databaseFile}`, clients)
  const app = new App(issuer, application)
  const { body } = await eventually(() => app.tokens(newPerson(), person.username))
  const { access_token: kept } = await hero.token.create({ user: person.username, name: 'bench' })
  hero.close()
  return { server, port, application, token: body.access_token, kept, socket: instance.socketPath }
}

const grant = { grant_type: 'client_credentials' }
const isToken = '"token_type":"Bearer"'
const isActive = '"active":true'

const few = await openProvider(asking)
const full = await openProvider(many)
const peerPort = await freePort()
const peers = join(import.meta.dirname, 'peers')
const peer = node(serverCore, join(peers, 'oidc_provider.ts'), String(peerPort), 'program', secret)
const opaque = await eventually(async () => (await fetch(`http://127.0.0.1:${peerPort}/opaque`)).text())

const tokensOf = ({ port, server }: typeof few, names: readonly string[]) => {
  const requests = names.map((name) => formPost('/token', port, name, secret, grant))
  return () => post({ port, server, requests, expect: isToken })
}
const { application } = few
const introspect = formPost('/oauth/introspect', few.port, application.client, application.client_secret!, {
  token: few.token,
})
const peerToken = formPost('/token', peerPort, 'program', secret, grant)
const peerIntrospect = formPost('/token/introspection', peerPort, 'program', secret, { token: opaque })

/** Lines over the socket, with as many calls in flight as the other doors have connections. */
const validate = async (token: string) => {
  const message = { jsonrpc: '2.0', id: 7, method: 'token.validate', params: { token } }
  const load = new Load(few.socket, `${JSON.stringify(message)}\n`)
  const answer = await load.learn((text) => text.endsWith('\n'))
  if (!answer.includes(isActive)) throw new Error(`token.validate answered ${answer}`)
  return async () => {
    const [before, began] = [few.server.cpu(), performance.now()]
    const rate = await load.run(16)
    const calls = (rate * (performance.now() - began)) / 1000
    return { rate, cpu: (few.server.cpu() - before) / calls }
  }
}
const jwt = JSON.parse(
  await (
    await fetch(`http://localhost:${few.port}/token`, {
      method: 'POST',
      headers: {
        authorization: `Basic ${btoa(`${nameOf(0)}:${secret}`)}`,
      },
      body: new URLSearchParams(grant),
    })
  ).text(),
) as { access_token: string }

const names = {
  tokens: 'client_credentials',
  peerTokens: 'client_credentials, oidc-provider',
  introspection: 'introspection',
  peerIntrospection: 'introspection, oidc-provider',
  validation: 'token.validate of a JWT, over the socket',
  keptValidation: 'token.validate of a token to keep, over the socket',
  full: `client_credentials, ${asking} of ${many.toLocaleString('en')} clients`,
  others: `client_credentials, ${others.toLocaleString('en')} of ${many.toLocaleString('en')} clients in turn`,
}
const asPeer = (request: Buffer, expect: string) => () =>
  post({ port: peerPort, server: peer, requests: [request], expect })
const contestants: Contestant[] = [
  { name: names.tokens, measure: tokensOf(few, spreadOver(asking, asking)) },
  { name: names.peerTokens, measure: asPeer(peerToken, isToken) },
  {
    name: names.introspection,
    measure: () => post({ port: few.port, server: few.server, requests: [introspect], expect: isActive }),
  },
  { name: names.peerIntrospection, measure: asPeer(peerIntrospect, isActive) },
  { name: names.validation, measure: await validate(jwt.access_token) },
  { name: names.keptValidation, measure: await validate(few.kept) },
  { name: names.full, measure: tokensOf(full, spreadOver(many, asking)) },
  { name: names.others, measure: tokensOf(full, spreadOver(many, others)) },
]
const results = await takeTurns(contestants, roundsOr(5), untilSteady)
await Promise.all([few.server, full.server, peer].map((server) => server.stop()))

heading('Tokens and introspection, one core, processor time beside oidc-provider with its memory adapter', {})
table([
  ['', 'per second', 'µs on the processor'],
  ...Object.values(names).map((name) => [
    name,
    spreadText(results.of(name)),
    spreadText(results.of(name, 'cpu')),
  ]),
])
// By processor time, because other work on the machine disturbs it less than the rate.
const cost = (name: string, other: string) => results.ratio(name, other, 'cpu').median
const rate = (name: string, other: string) => results.ratio(name, other).median
figures(
  'tokens',
  {
    client_credentials_vs_oidc_provider: cost(names.peerTokens, names.tokens),
    introspection_vs_oidc_provider: cost(names.peerIntrospection, names.introspection),
    client_credentials_rate_vs_oidc_provider: rate(names.tokens, names.peerTokens),
    introspection_rate_vs_oidc_provider: rate(names.introspection, names.peerIntrospection),
    validate_vs_introspection: cost(names.introspection, names.validation),
    validate_rate_vs_introspection: rate(names.validation, names.introspection),
    clients_100k_vs_10: cost(names.full, names.tokens),
    clients_100k_in_turn_vs_10: cost(names.others, names.tokens),
    client_credentials_per_second: results.of(names.tokens).median,
    introspection_per_second: results.of(names.introspection).median,
  },
  results,
)
