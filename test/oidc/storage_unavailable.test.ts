import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ask } from '../support/http.ts'
import { byHand } from '../support/people.ts'
import { postgresMissing, startPostgres } from '../support/postgres.ts'
import {
  App,
  callback,
  newPerson,
  pkce,
  post,
  startProvider,
  type Provider,
} from '../support/openid_stage.ts'

/** Requests of clients and people to the provider; each answers with a status, Retry-After and a body. */
const prepareRequests = async ({ daemon, issuer }: Provider) => {
  const added = await daemon.hero.clients.add({
    anyone: true,
    name: 'Wiki',
    client: 'wiki',
    redirect_uris: [callback],
    first_party: true,
    grants: ['authorization_code', 'device_code'],
  })
  const app = new App(issuer, added)
  const { body } = await app.tokens(newPerson(), 'grace', { scope: 'openid offline_access' })
  const { challenge } = pkce()
  const page = async (address: string | URL) => {
    const { host, pathname, search } = new URL(address)
    const answer = await ask(daemon, host, `${pathname}${search}`, { headers: ['Accept', 'text/html'] })
    return { ...answer, headers: new Headers({ 'retry-after': String(answer.headers['retry-after']) }) }
  }
  const toProgram = {
    '/token': () => app.refresh(body.refresh_token),
    '/oauth/revoke': () => post(`${issuer}/oauth/revoke`, { token: body.access_token }, added),
    '/oauth/device': () => post(`${issuer}/oauth/device`, { client_id: 'wiki', scope: 'openid' }, app.client),
  }
  const toPerson = {
    '/authorize': () => page(app.authorizeUrl({ ...challenge, scope: 'openid' })),
    '/device': () => page(`${issuer}/device`),
  }
  return { app, body, toProgram, toPerson }
}

const assertUnavailable = ({ status, headers }: { status: number; headers: Headers }, what: string) =>
  assert.deepEqual([status, headers.get('retry-after')], [503, '5'], what)

const messages = (daemon: Provider['daemon']) => daemon.logged.map(({ msg }) => msg)

test('while the database cannot be written, the provider answers 503 with Retry-After and changes nothing', async (t) => {
  const stage = await startProvider()
  t.after(() => stage.daemon.close())
  const { app, body, toProgram, toPerson } = await prepareRequests(stage)
  // Each request waits for the write lock, so one of each kind is enough.
  const requests = { '/token': toProgram['/token'], '/device': toPerson['/device'] }
  await byHand(stage.daemon, async () => {
    const answers = Object.entries(requests).map(async ([what, send]) => {
      const answer = await send()
      assertUnavailable(answer, what)
      if (typeof answer.body === 'string') assert.match(answer.body, /<h1>Sign-in failed/)
      else assert.equal(answer.body.error, 'temporarily_unavailable')
    })
    await Promise.all(answers)
  })
  assert.ok(messages(stage.daemon).includes('the database does not answer'))
  assert.ok(!messages(stage.daemon).includes('internal error of the OpenID provider'))
  // The tokens are neither revoked nor consumed.
  assert.equal((await app.userinfo(body.access_token)).status, 200)
  assert.equal((await app.refresh(body.refresh_token)).status, 200)
})

test('an unreadable interaction record is not reported as an expired sign-in', async (t) => {
  const stage = await startProvider()
  t.after(() => stage.daemon.close())
  const { hero } = stage.daemon
  const added = await hero.clients.add({
    anyone: true,
    name: 'Wiki',
    redirect_uris: [callback],
    first_party: true,
  })
  const person = newPerson()
  const login = await person.open(new App(stage.issuer, added).authorizeUrl(pkce().challenge))
  await byHand(stage.daemon, ({ query }) =>
    query
      .updateTable('oidc_records')
      .set({ payload_sealed: 'x' })
      .where('kind', '=', 'Interaction')
      .execute(),
  )
  const consent = new URL(login.url.searchParams.get('return_to')!, stage.issuer)
  const { status, text } = await person.open(consent)
  assert.equal(status, 500)
  assert.doesNotMatch(text, /Please start again/)
})

test('while the database cannot be reached, the provider answers 503 with Retry-After', async (t) => {
  const missing = postgresMissing()
  if (missing !== undefined) return t.skip(missing)
  const postgres = await startPostgres()
  let running = true
  const stop = () => {
    if (running) postgres.stop()
    running = false
  }
  t.after(stop)
  const stage = await startProvider({ database_url: postgres.newDatabase() })
  t.after(() => stage.daemon.close())
  const { app, body, toProgram, toPerson } = await prepareRequests(stage)
  stop()
  for (const [what, send] of Object.entries({ ...toProgram, ...toPerson }))
    assertUnavailable(await send(), what)
  assertUnavailable(await app.userinfo(body.access_token), '/userinfo')
})
