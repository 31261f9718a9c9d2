import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { after, before, suite, test } from 'node:test'
import { RelyingParty } from '../../support/relying_party.ts'
import { startProvider, type Provider } from '../../support/openid_stage.ts'

// The errors of OpenID Connect Core section 3.1.2.6 for a request that needs a page.
const needsPage = new Set([
  'login_required',
  'interaction_required',
  'consent_required',
  'account_selection_required',
])

suite('conformance: prompt and max_age', () => {
  let stage: Provider
  before(async () => {
    stage = await startProvider()
  })
  after(() => stage.daemon.close())

  /** Signs in twice in the same browser, and returns which pages the second sign-in showed. */
  const twice = async (
    first: Record<string, string>,
    second: (token: string) => Record<string, string>,
    wait = 0,
  ) => {
    const rp = await RelyingParty.add(stage)
    const before = await rp.flow(first)
    await delay(wait)
    rp.seen.length = 0
    const after = await rp.flow(second(before.tokens.id_token))
    return { before: before.idToken, after: after.idToken, seen: rp.seen }
  }
  const assertUnchanged = ({ before, after, seen }: Awaited<ReturnType<typeof twice>>) => {
    assert.equal(after.sub, before.sub)
    assert.equal(after.auth_time, before.auth_time)
    assert.deepEqual(seen, [])
  }

  test('oidcc-prompt-login', async () => {
    const params = { max_age: '15000' }
    const { before, after, seen } = await twice(params, () => ({ ...params, prompt: 'login' }), 1100)
    assert.deepEqual(seen, ['/auth/prove'])
    assert.equal(after.sub, before.sub)
    assert.ok(Number(after.auth_time) > Number(before.auth_time))
  })

  test('oidcc-prompt-none-not-logged-in', async () => {
    const rp = await RelyingParty.add(stage)
    const state = randomBytes(96).toString('base64url')
    const error = await rp.refused(rp.ask({ prompt: 'none', state }))
    assert.ok(needsPage.has(error!), String(error))
    assert.deepEqual(rp.seen, [])
  })

  test('oidcc-prompt-none-logged-in', async () => {
    assertUnchanged(await twice({}, () => ({ prompt: 'none' }), 1100))
  })

  test('oidcc-max-age-1', async () => {
    const { before, after, seen } = await twice({ max_age: '15000' }, () => ({ max_age: '1' }), 2100)
    assert.deepEqual(seen, ['/auth/prove'])
    assert.equal(after.sub, before.sub)
    assert.ok(Number(after.auth_time) > Number(before.auth_time))
    assert.ok(Math.abs(Number(after.auth_time) - Date.now() / 1000) < 10)
  })

  test('oidcc-max-age-10000', async () => {
    const both = await twice({ max_age: '15000' }, () => ({ max_age: '10000' }), 1100)
    assert.equal(typeof both.before.auth_time, 'number')
    assert.equal(typeof both.after.auth_time, 'number')
    assertUnchanged(both)
  })

  test('oidcc-id-token-hint', async () => {
    assertUnchanged(await twice({}, (id_token_hint) => ({ prompt: 'none', id_token_hint }), 1100))
  })
})
