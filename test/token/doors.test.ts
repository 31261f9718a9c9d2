import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { goodPassword } from '../support/daemon.ts'
import { enrol } from '../support/factors.ts'
import { signedIn } from '../support/people.ts'
import { refused } from '../support/refused.ts'
import { doorsOf, startDoors, textOf, type Doors, type Kind } from './doors_stage.ts'

const ours = ['/rpc', 'rpc.sock', 'a route for programs', 'a route for everybody', 'token.validate']

/** Written by hand from the requirements: which doors each credential opens. What is not named here stays shut. */
const table: Record<Kind, readonly string[]> = {
  cookie: ['a page, as our cookie'],
  session: ours,
  refresh: ['auth.refresh'],
  kept: ours,
  program: [...ours, 'verifyToken'],
  assertion: ['verifyAssertion'],
  'OpenID access': ['/userinfo', '/oauth/introspect'],
  'OpenID refresh': ['/oauth/introspect', '/token, to refresh'],
  'OpenID ID': [],
}

suite('credentials by doors', () => {
  let doors: Doors
  before(async () => {
    doors = await startDoors()
  })
  after(() => doors.close())

  /** The doors that each credential opens, in the order of the doors. */
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

  test('each credential opens its own doors and no other', async () => {
    const expected = Object.fromEntries(wanted.map(([kind, names]) => [kind, inOrder(names)]))
    assert.deepEqual(await opened(textOf(await doors.issue('ada'))), expected)
  })

  test('an authorization code, half a sign-in and other texts of ours open nothing', async () => {
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
      'half a sign-in': data.sign_in as string,
      'half a sign-in with a code that is wrong': `${again.sign_in}000000`,
      'the secret of a client': doors.program.client_secret!,
      'a kept token with one character changed': textOf(await doors.issue('ada')).kept.replace(/.$/, '!'),
    }
    assert.deepEqual(await opened(texts), Object.fromEntries(Object.keys(texts).map((name) => [name, []])))
  })

  test('a person who is switched off is nobody at any door, at once and after a restart', async () => {
    const { hero } = doors.provider.daemon
    const before = await doors.issue('grace')
    const again = await doors.issue('grace')
    await hero.users.update({ username: 'grace', is_active: false })
    // The signed texts of a person are good for their five minutes, at whoever verifies them alone.
    const dead = { ...nothing, program: inOrder(table.program), assertion: inOrder(table.assertion) }
    assert.deepEqual(await opened(textOf(before)), dead)
    const { daemon, issuer } = doors.provider
    const { upstream, app, program } = doors
    const provider = { daemon: (await daemon.restart()) as typeof daemon, issuer }
    doors = doorsOf(provider, upstream, app.client, program)
    assert.deepEqual(await opened(textOf(again)), dead)
    await doors.provider.daemon.hero.users.update({ username: 'grace', is_active: true })
    // Whoever is switched on again begins anew, but for what only looks at the person.
    const back = await opened(textOf(again))
    for (const kind of ['cookie', 'session', 'refresh', 'OpenID access', 'OpenID refresh'])
      assert.deepEqual(back[kind], [], kind)
  })

  test('a client that is switched off is nobody at any door, at once, and its tokens do not come back with it', async () => {
    const { hero } = doors.provider.daemon
    const before = await doors.issue('ada')
    for (const client of ['app', 'deploy']) await hero.clients.update({ client, is_active: false })
    const people = { cookie: table.cookie, session: table.session, refresh: [], kept: table.kept }
    const now = await opened({ ...textOf(before), refresh: 'x' })
    // Whoever verifies by itself hears of it: test/sdk/token.test.
    const stays = { ...people, assertion: table.assertion, program: ['verifyToken'] }
    const expected = Object.fromEntries(
      Object.entries({ ...nothing, ...stays }).map(([kind, names]) => [kind, inOrder(names)]),
    )
    assert.deepEqual(now, expected)
    for (const client of ['app', 'deploy']) await hero.clients.update({ client, is_active: true })
    const { program } = await opened({ program: before.program })
    assert.deepEqual(program, ['verifyToken'])
    // What was issued in the very second of the end is ended with it.
    await setTimeout(1100)
    const { client: client_id, client_secret } = doors.program
    const { access_token } = await hero.token.create({ client_id, client_secret: client_secret! })
    assert.deepEqual((await opened({ program: access_token })).program, inOrder(table.program))
  })
})
