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

/** What an application and people ask of the provider; each answers by its status, whether to come again, and its text. */
const askAll = async ({ daemon, issuer }: Provider) => {
  const added = await daemon.hero.clients.add({
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

const away = ({ status, headers }: { status: number; headers: Headers }, what: string) =>
  assert.deepEqual([status, headers.get('retry-after')], [503, '5'], what)

const told = (daemon: Provider['daemon']) => daemon.logged.map(({ msg }) => msg)

test('while the database cannot be written, applications and people are told to come again, and nothing counts as done', async (t) => {
  const stage = await startProvider()
  t.after(() => stage.daemon.close())
  const { app, body, toProgram, toPerson } = await askAll(stage)
  // Each waits for its turn to write: one of a kind is enough.
  const wanted = { '/token': toProgram['/token'], '/device': toPerson['/device'] }
  await byHand(stage.daemon, async () => {
    const answers = Object.entries(wanted).map(async ([what, asked]) => {
      const answer = await asked()
      away(answer, what)
      if (typeof answer.body === 'string') assert.match(answer.body, /<h1>Sign-in failed/)
      else assert.equal(answer.body.error, 'temporarily_unavailable')
    })
    await Promise.all(answers)
  })
  assert.ok(told(stage.daemon).includes('the database does not answer'))
  assert.ok(!told(stage.daemon).includes('internal error of the OpenID provider'))
  // Neither ended nor used up.
  assert.equal((await app.userinfo(body.access_token)).status, 200)
  assert.equal((await app.refresh(body.refresh_token)).status, 200)
})

test('an unfinished sign-in that cannot be read is not told to have taken too long', async (t) => {
  const stage = await startProvider()
  t.after(() => stage.daemon.close())
  const { hero } = stage.daemon
  const added = await hero.clients.add({ name: 'Wiki', redirect_uris: [callback], first_party: true })
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

test('the same while it cannot be asked at all', async (t) => {
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
  const { app, body, toProgram, toPerson } = await askAll(stage)
  stop()
  for (const [what, asked] of Object.entries({ ...toProgram, ...toPerson })) away(await asked(), what)
  away(await app.userinfo(body.access_token), '/userinfo')
})
