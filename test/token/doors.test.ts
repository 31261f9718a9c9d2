import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { goodPassword } from '../support/daemon.ts'
import { enrol } from '../support/factors.ts'
import { signedIn } from '../support/people.ts'
import { refused } from '../support/refused.ts'
import { doorsOf, startDoors, textOf, type Doors, type Kind } from './doors_stage.ts'

const ours = ['/rpc', 'rpc.sock', 'a bearer route', 'an optional route', 'token.validate']

/** The endpoints that accept each credential, from the requirements; all others must refuse it. */
const table: Record<Kind, readonly string[]> = {
  cookie: ['a local route, as the cookie'],
  session: ours,
  refresh: ['auth.refresh'],
  kept: ours,
  // It introspects its own.
  program: [...ours, '/oauth/introspect by the program', 'verifyToken'],
  assertion: ['verifyAssertion'],
  'OpenID access': ['/userinfo', '/oauth/introspect'],
  'OpenID refresh': ['/oauth/introspect', '/token, as refresh_token'],
  'OpenID ID': [],
}

suite('credentials at each endpoint', () => {
  let doors: Doors
  before(async () => {
    doors = await startDoors()
  })
  after(() => doors.close())

  /** Returns the endpoints that accept each credential, in the order of the endpoints. */
  const opened = async (texts: Record<string, string>) => {
    const result: Record<string, string[]> = {}
    for (const [kind, token] of Object.entries(texts)) {
      const open: string[] = []
      for (const [door, opens] of Object.entries(doors.opens)) if (await opens(token)) open.push(door)
      result[kind] = open
    }
    return result
  }
  const inOrder = (names: readonly string[]) =>
    Object.keys(doors.opens).filter((door) => names.includes(door))
  const wanted = Object.entries(table)
  const nothing = Object.fromEntries(wanted.map(([kind]) => [kind, []]))

  test('each credential is accepted at its own endpoints and nowhere else', async () => {
    const expected = Object.fromEntries(wanted.map(([kind, names]) => [kind, inOrder(names)]))
    assert.deepEqual(await opened(textOf(await doors.issue('ada'))), expected)
  })

  test('an unfinished sign-in, a client secret and a changed token are accepted nowhere', async () => {
    const { hero } = doors.provider.daemon
    await hero.users.add({ username: 'half', email: 'half@example.org', password: goodPassword })
    await enrol(await signedIn(doors.provider.daemon, 'half'))
    const { data } = await refused(
      hero.auth.login({ login: 'half', password: goodPassword }),
      'factor_required',
    )
    const { data: again } = await refused(
      hero.auth.login({ login: 'half', password: goodPassword }),
      'factor_required',
    )
    const texts = {
      'an unfinished sign-in': data.sign_in as string,
      'an unfinished sign-in with a wrong code': `${again.sign_in}000000`,
      'a client secret': doors.program.client_secret!,
      'a personal token with one character changed': textOf(await doors.issue('ada')).kept.replace(/.$/, '!'),
    }
    assert.deepEqual(await opened(texts), Object.fromEntries(Object.keys(texts).map((name) => [name, []])))
  })

  test('the daemon refuses the credentials of a deactivated person, at once and after a restart', async () => {
    const { hero } = doors.provider.daemon
    const before = await doors.issue('grace')
    const again = await doors.issue('grace')
    await hero.users.update({ username: 'grace', is_active: false })
    // Signed tokens of a person remain valid for five minutes where they are verified offline.
    const dead = { ...nothing, program: inOrder(table.program), assertion: inOrder(table.assertion) }
    assert.deepEqual(await opened(textOf(before)), dead)
    const { daemon, issuer } = doors.provider
    const { upstream, app, program } = doors
    const provider = { daemon: (await daemon.restart()) as typeof daemon, issuer }
    doors = doorsOf(provider, upstream, app.client, program)
    assert.deepEqual(await opened(textOf(again)), dead)
    await doors.provider.daemon.hero.users.update({ username: 'grace', is_active: true })
    // After reactivation, credentials that were revoked stay so.
    const back = await opened(textOf(again))
    for (const kind of ['cookie', 'session', 'refresh', 'OpenID access', 'OpenID refresh'])
      assert.deepEqual(back[kind], [], kind)
  })

  test('the daemon refuses the credentials of a disabled client at once, and after it is enabled again', async () => {
    const { hero } = doors.provider.daemon
    const before = await doors.issue('ada')
    for (const client of ['app', 'deploy']) await hero.clients.update({ client, is_active: false })
    const people = { cookie: table.cookie, session: table.session, refresh: [], kept: table.kept }
    const now = await opened({ ...textOf(before), refresh: 'x' })
    // Offline verifiers can follow it, see test/sdk/revoked_tokens.test.
    const stays = { ...people, assertion: table.assertion, program: ['verifyToken'] }
    const expected = Object.fromEntries(
      Object.entries({ ...nothing, ...stays }).map(([kind, names]) => [kind, inOrder(names)]),
    )
    assert.deepEqual(now, expected)
    for (const client of ['app', 'deploy']) await hero.clients.update({ client, is_active: true })
    const { program } = await opened({ program: before.program })
    assert.deepEqual(program, ['verifyToken'])
    // Revocation covers tokens issued within the same second.
    await setTimeout(1100)
    const { client: client_id, client_secret } = doors.program
    const { access_token } = await hero.token.create({ client_id, client_secret: client_secret! })
    assert.deepEqual((await opened({ program: access_token })).program, inOrder(table.program))
  })
})
