import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { HeroError, HeroProxy } from '../../sdk/index.ts'
import { createApp } from '../../src/app/app.ts'
import { guest, type Caller } from '../../src/contract/caller.ts'
import { readConfig } from '../../src/config/read.ts'
import { AppError } from '../../src/contract/errors.ts'
import { Counters, noWorkers } from '../../src/metrics/counters.ts'
import { createLog } from '../../src/log/log.ts'
import type { Database } from '../../src/storage/database.ts'
import { Seal } from '../../src/secrets/seal.ts'
import { startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { openrpc, paramsOf, type DocumentedMethod } from '../support/openrpc.ts'
import { person } from '../support/people.ts'
import {
  claims,
  everybody,
  mayLeaveOut,
  notAboutOneself,
  rows,
  signedIn,
  takesAdmin,
  takesSignIn,
} from './rights_table.ts'
import { openDatabase } from '../../src/storage/open_database.ts'

const operatorToken = 'operator-token-of-the-rights-table-0123456789'
const dir = mkdtempSync(join(tmpdir(), 'hp-'))
let daemon: TestDaemon
let database: Database
let call: (name: string, params: unknown, caller: Caller) => Promise<unknown>
let callers: Record<'guest' | 'grace' | 'administrator' | 'operatorAtEdge', HeroProxy>

before(async () => {
  daemon = await startTestDaemon({ operator_token: operatorToken })
  const url = daemon.origin.replace('127.0.0.1', 'localhost')
  const atEdge = async (name: string, is_admin: boolean) => {
    await person(daemon, name, { is_admin })
    const { access_token } = await daemon.hero.auth.login({
      login: name,
      password: 'mosaic-lantern-42-orbit',
    })
    return new HeroProxy({ url, token: access_token })
  }
  callers = {
    guest: new HeroProxy({ url }),
    grace: await atEdge('grace', false),
    administrator: await atEdge('ada', true),
    operatorAtEdge: new HeroProxy({ url, token: operatorToken }),
  }
  const config = readConfig({ data_dir: dir }, {})
  const log = createLog('silent')
  database = await openDatabase(config.database_url, log)
  call = createApp(config, database, new Seal('x'.repeat(32)), log, new Counters(noWorkers)).dispatcher.call
})
after(async () => {
  await daemon.close()
  await database.close()
  rmSync(dir, { recursive: true })
})

/** Returns the example's parameters for this person, plus one that no method takes, so that no call succeeds. */
const paramsFor = (method: DocumentedMethod, username: string | undefined): Record<string, unknown> => {
  const params: Record<string, unknown> = { ...paramsOf(method.examples[0]!), no_such_parameter: 1 }
  for (const key of ['user', 'username']) {
    if (!method.params.some(({ name }) => name === key)) continue
    if (username === undefined) delete params[key]
    else params[key] = username
  }
  return params
}

const takesNames = ({ params }: DocumentedMethod): boolean =>
  params.some(({ name }) => ['user', 'username'].includes(name))

/** Returns true if the call passed the gate and failed for its parameters, and false if the gate refused it. */
const passes = (calling: Promise<unknown>): Promise<boolean> =>
  calling.then(
    () => assert.fail('an unknown parameter was accepted'),
    (error: unknown) => {
      assert.ok(error instanceof HeroError || error instanceof AppError, String(error))
      const { code } = error.data
      assert.ok(
        ['invalid_params', 'unauthenticated', 'claim_required', 'proof_required'].includes(String(code)),
        error.message,
      )
      return code === 'invalid_params'
    },
  )

const holder = (...held: string[]): Caller => ({
  kind: 'user',
  via: 'edge',
  name: 'eve',
  claims: new Set(['users.eve', ...held]),
  user_id: '01932d1c-7a5e-7c41-9f3a-5f1d2c3b4aff',
})

test('each method has a row, and each row a method', () => {
  assert.deepEqual(
    Object.keys(rows),
    openrpc.methods.map(({ name }) => name),
  )
})

for (const method of openrpc.methods) {
  test(`who may call ${method.name}`, async () => {
    const row = rows[method.name] ?? assert.fail('no row')
    const at = (who: HeroProxy, username: string | undefined) =>
      passes(who.call(method.name as never, paramsFor(method, username) as never))
    const { guest: stranger, grace, administrator, operatorAtEdge } = callers

    assert.equal(await at(stranger, 'grace'), row.guest, 'a guest at the edge')
    assert.equal(await at(grace, 'ada'), row.other, 'a user for somebody else')
    assert.equal(await at(grace, 'GRACE'), row.self, 'a user for herself')
    assert.equal(await at(grace, 'grace,ada'), row.other, 'a user for a name that contains hers')
    assert.ok(await at(administrator, 'grace'), 'an administrator')
    assert.ok(await at(operatorAtEdge, 'grace'), 'the operator token')
    assert.ok(await at(daemon.hero, 'grace'), 'the operator on the socket')
    const without = row.other || mayLeaveOut.has(method.name)
    if (takesNames(method)) assert.equal(await at(grace, undefined), without, 'a user without a name')

    assert.equal(
      await passes(call(method.name, paramsFor(method, 'grace'), guest({ via: 'socket' }))),
      row.guest,
      'a guest on the socket',
    )
    for (const claim of claims) {
      const allowed = await passes(call(method.name, paramsFor(method, 'grace'), holder(claim)))
      assert.equal(allowed, row.claims.includes(claim), `a holder of ${claim}`)
    }
    // A service has claims, and no rights of a person of the same name.
    const service = (...held: string[]): Caller => ({ ...holder(...held), kind: 'service', name: 'grace' })
    const plain = await passes(call(method.name, paramsFor(method, 'grace'), service()))
    assert.equal(plain, row.other, 'a service without claims')
    for (const claim of claims) {
      const allowed = await passes(call(method.name, paramsFor(method, 'grace'), service(claim)))
      assert.equal(allowed, row.claims.includes(claim), `a service with ${claim}`)
    }
    if (method.params.some(({ name }) => name === 'group')) {
      const { group } = paramsOf(method.examples[0]!) as { group: string }
      const ofThis = holder(`groups.${group}.admin`)
      const ofOther = holder('groups.elsewhere.admin', `groups.${group}`, `groups.${group}x.admin`)
      const params = paramsFor(method, 'grace')
      assert.equal(
        await passes(call(method.name, params, ofThis)),
        row.groupAdmin ?? false,
        'an administrator of the group',
      )
      assert.equal(
        await passes(call(method.name, params, ofOther)),
        false,
        'an administrator of another group',
      )
    }
    for (const near of [
      'proxy',
      'proxy.*',
      'proxy.users',
      'PROXY.ADMIN',
      'admin',
      'groups.admin',
      'users.grace',
    ]) {
      const allowed = await passes(call(method.name, paramsFor(method, 'grace'), holder(near)))
      assert.equal(allowed, row.other, `a holder of ${near}`)
    }
  })
}

test('what a token of each scope allows, for an administrator and another person, for others and oneself', async () => {
  const url = daemon.origin.replace('127.0.0.1', 'localhost')
  const scopes = ['read', 'write', 'admin'] as const
  for (const who of ['ada', 'grace'] as const)
    for (const [i, scope] of scopes.entries()) {
      const { access_token: token } = await daemon.hero.token.create({ user: who, name: scope, scope })
      const hero = new HeroProxy({ url, token })
      for (const method of openrpc.methods)
        for (const whom of ['ada', 'grace']) {
          const { name, 'x-effect': effect } = method
          const { [name]: row = assert.fail('no row') } = rows
          const ofAll = row.other || (row.self && whom === who)
          // Without the admin scope, an administrator has the rights of any person.
          const byClaim = who === 'ada' && scope === 'admin' && row.claims.length > 0
          const wanted = takesAdmin.has(name) ? 'admin' : effect
          const allowed =
            (ofAll || byClaim) &&
            i >= scopes.indexOf(wanted) &&
            !takesSignIn.has(name) &&
            !(takesAdmin.has(name) && !byClaim) &&
            !(notAboutOneself.has(name) && whom === who)
          assert.equal(
            await passes(hero.call(name as never, paramsFor(method, whom) as never)),
            allowed,
            `${name}, a ${scope} token of ${who}, for ${whom}`,
          )
        }
    }
})

test('an alias has the same rule as its method', async () => {
  for (const { name, 'x-aliases': aliases = [] } of openrpc.methods)
    for (const alias of aliases)
      assert.equal(
        await passes(call(alias, { no_such_parameter: 1 }, guest({ via: 'edge' }))),
        rows[name]!.guest,
      )
})

test('the rules in the document match the table', () => {
  for (const { name, 'x-required-claim': rule } of openrpc.methods) {
    const row = rows[name]!
    if (row === everybody) assert.equal(rule, null, name)
    else if (row === signedIn) assert.equal(rule, 'self', name)
    else {
      const list = rule as readonly string[]
      assert.deepEqual(
        list.filter((claim) => !claim.includes('{')),
        row.claims,
        name,
      )
      assert.equal(
        list.some((claim) => claim.includes('{')),
        row.self || row.groupAdmin === true,
        name,
      )
    }
  }
})
