import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { goodPassword } from '../support/daemon.ts'
import { startStage, type Stage } from '../support/edge_stage.ts'
import { arriveAt, ask, signIn } from '../support/http.ts'
import { openrpc, paramsOf } from '../support/openrpc.ts'
import { byHand } from '../support/people.ts'

const host = 'wiki.localhost'
const operatorToken = 'operator-token-that-is-long-enough-0123456789'
type Spoken = { id: number; result?: unknown; error?: { data: { code: string } } }

describe('/rpc at the host of a service', () => {
  let stage: Stage
  let cookie: string
  let tokens: Record<string, string>
  before(async () => {
    stage = await startStage({ operator_token: operatorToken })
    const { daemon } = stage
    await daemon.hero.users.update({ username: 'ada', is_admin: true })
    await stage.route({ domain: host, auth_mode: 'optional', rpc: true })
    cookie = await arriveAt(daemon, host, await signIn(daemon, 'localhost', 'ada', goodPassword))
    const { access_token: session } = await daemon.hero.auth.login({ login: 'ada', password: goodPassword })
    const { access_token: kept } = await daemon.hero.token.create({
      user: 'ada',
      name: 'All',
      scope: 'admin',
    })
    tokens = { session, kept, operator: operatorToken }
  })
  after(() => stage.close())

  /** Every method under each of its names, with parameters that would work. */
  const calls = openrpc.methods.flatMap((method) =>
    [method.name, ...((method as { 'x-aliases'?: readonly string[] })['x-aliases'] ?? [])].map((name) => ({
      jsonrpc: '2.0',
      method: name,
      params: paramsOf(method.examples[0]!),
    })),
  )
  const post = async (headers: readonly string[], body: unknown) => {
    const answer = await ask(stage.daemon, host, '/rpc', {
      method: 'POST',
      headers: ['Content-Type', 'application/json', 'Origin', `http://${host}`, ...headers],
      body: JSON.stringify(body),
    })
    assert.equal(answer.status, 200, answer.body)
    return JSON.parse(answer.body) as Spoken
  }
  /** All that a method could have changed. */
  const state = () =>
    byHand(stage.daemon, async ({ query }) => {
      const tables = [
        'users',
        'groups',
        'roles',
        'sessions',
        'settings',
        'routes',
        'tokens',
        'clients',
        'signing_keys',
      ] as const
      const rows = []
      for (const table of tables) {
        const found = (await query.selectFrom(table).selectAll().execute()) as Record<string, unknown>[]
        rows.push(found.map((row) => ({ ...row, last_used_at: 0 })))
      }
      return rows
    })

  const ways = (): readonly (readonly [string, string[], Record<string, string>])[] => [
    ['the cookie of an administrator', ['Cookie', cookie], {}],
    ...Object.entries(tokens).flatMap(
      ([name, token]): (readonly [string, string[], Record<string, string>])[] => [
        [`the token ${name}`, ['Authorization', `Bearer ${token}`], {}],
        [`the token ${name} beside the cookie`, ['Authorization', `Bearer ${token}`, 'Cookie', cookie], {}],
        [`the token ${name} in the message`, [], { authorization: `Bearer ${token}` }],
      ],
    ),
    ['no credential', [], {}],
  ]

  test('serves no method that manages anything, in any spelling, to anybody', async () => {
    const before = await state()
    assert.ok(calls.length > 100)
    for (const [who, headers, member] of ways()) {
      const answered: string[] = []
      for (const [id, call] of calls.entries()) {
        const { result, error } = await post(headers, { ...call, id, ...member })
        if (error === undefined) answered.push(call.method)
        else
          assert.ok(['claim_required', 'unauthenticated'].includes(error.data.code), `${who}: ${call.method}`)
        assert.ok(result === undefined || call.method === 'auth.me', `${who}: ${call.method}`)
      }
      const known = !/operator|no credential/.test(who)
      assert.deepEqual(answered, known ? ['auth.me'] : [], who)
    }
    assert.deepEqual(await state(), before)
  })

  test('nor in a batch, nor as notifications', async () => {
    const before = await state()
    for (let i = 0; i < calls.length; i += 50) {
      const some = calls.slice(i, i + 50)
      const spoken = (await post(
        ['Cookie', cookie],
        some.map((call, id) => ({ ...call, id })),
      )) as unknown as Spoken[]
      for (const { id, error } of spoken)
        assert.equal(error === undefined, some[id]!.method === 'auth.me', some[id]!.method)
      const { status } = await ask(stage.daemon, host, '/rpc', {
        method: 'POST',
        headers: ['Content-Type', 'application/json', 'Origin', `http://${host}`, 'Cookie', cookie],
        body: JSON.stringify(some),
      })
      assert.equal(status, 204)
    }
    assert.deepEqual(await state(), before)
  })
})
