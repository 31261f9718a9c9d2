import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { signRequest } from '../../sdk/index.ts'
import { CachedKeys } from '../../src/users/cached_keys.ts'
import { onSqliteFirst } from '../support/databases.ts'
import { ask, type Answer } from '../support/http.ts'
import { byHand } from '../support/people.ts'
import { valuesOf } from '../support/upstream.ts'
import { newKey } from '../edge/mode_stage.ts'
import { draft, headersOf, host, pubkey, seconds, signDraft, type Draft } from '../support/signing.ts'
import { got, startStage, type Stage } from '../support/edge_stage.ts'

onSqliteFirst('the signer and the nonce of a signed request', (newUrl) => {
  let stage: Stage
  before(async () => {
    stage = await startStage({ database_url: newUrl() })
    await stage.route({ domain: host, auth_mode: 'signature' })
    await stage.daemon.hero.users.keys.add({ user: 'ada', pubkey })
  })
  after(() => stage.close())

  const send = (sent: Draft, headers: readonly [string, string][]): Promise<Answer> =>
    ask(stage.daemon, sent.host, sent.path, {
      method: sent.method,
      headers: headers.flat(),
      ...(sent.method === 'GET' ? {} : { body: sent.body }),
    })

  const refuses = async (sent: Draft, headers: readonly [string, string][], status: number, what: string) => {
    const before = stage.upstream.seen.length
    const answer = await send(sent, headers)
    assert.equal(answer.status, status, `${what}: ${answer.body}`)
    assert.equal(stage.upstream.seen.length, before, what)
    if (status === 401) assert.match(String(answer.headers['www-authenticate']), /^HeroSignature /)
  }

  test('a nonce is accepted once per key, for another request and for twenty at once too', async () => {
    const text = draft()
    const headers = headersOf(text, signDraft(text))
    const before = stage.upstream.seen.length
    const all = await Promise.all(Array.from({ length: 20 }, () => send(text, headers)))
    assert.deepEqual(
      all.map(({ status }) => status).sort((a, b) => a - b),
      [200, ...Array<number>(19).fill(401)],
    )
    assert.equal(stage.upstream.seen.length, before + 1)
    const other = { ...draft(), nonce: text.nonce, path: '/else' }
    await refuses(other, headersOf(other, signDraft(other)), 401, 'the nonce in another request')
    const bobs = newKey()
    await stage.daemon.hero.users.keys.add({ user: 'bob', pubkey: bobs.pubkey })
    const { path, body, nonce } = other
    const signed = signRequest({ method: 'POST', host, path, body, nonce, privateKey: bobs.privateKey })
    assert.equal((await send(other, Object.entries(signed))).status, 200, 'the same nonce with another key')
  })

  test('a restart keeps the nonces, and sweeping removes only expired ones', async () => {
    const text = draft()
    const headers = headersOf(text, signDraft(text))
    assert.equal((await send(text, headers)).status, 200)
    const daemon = await stage.daemon.restart()
    stage = {
      ...stage,
      daemon,
      close: async () => Promise.all([daemon.close(), stage.upstream.close()]).then(() => {}),
    }
    await refuses(text, headers, 401, 'after a restart')
    const rows = await byHand(daemon, async (database) => {
      const { query } = database
      const old = { pubkey, nonce: 'o'.repeat(16), expires_at: seconds() - 1 }
      await query.insertInto('signature_nonces').values(old).execute()
      await new CachedKeys(database).sweep()
      return query.selectFrom('signature_nonces').selectAll().execute()
    })
    assert.ok(!rows.some(({ nonce }) => nonce === 'o'.repeat(16)))
    const row = rows.find(({ nonce }) => nonce === text.nonce)!
    assert.equal(row.pubkey, pubkey)
    assert.ok(row.expires_at >= Number(text.timestamp) + 120, 'longer than the window and a slow body')
    assert.ok(row.expires_at <= Number(text.timestamp) + 600)
  })

  test('an unknown key gets 401, a key of an inactive user 403 after its signature is verified', async () => {
    const { hero } = stage.daemon
    const { privateKey, pubkey: bobsKey } = newKey()
    const request = () => {
      const text = draft()
      const { path, body } = text
      return { text, headers: Object.entries(signRequest({ method: 'POST', host, path, body, privateKey })) }
    }
    const refusesNow = async (status: number, what: string) => {
      const { text, headers } = request()
      await refuses(text, headers, status, what)
    }
    await refusesNow(401, 'unknown')
    const { id } = await hero.users.keys.add({ user: 'bob', pubkey: bobsKey })
    const first = request()
    assert.equal((await send(first.text, first.headers)).status, 200)
    await hero.users.update({ username: 'bob', is_active: false })
    await refusesNow(403, 'inactive')
    const unproven = draft()
    await refuses(
      unproven,
      headersOf(unproven, signDraft(unproven), bobsKey),
      401,
      'inactive, and an invalid signature',
    )
    await hero.users.update({ username: 'bob', is_active: true })
    const again = request()
    assert.equal((await send(again.text, again.headers)).status, 200)
    await hero.users.keys.remove({ user: 'bob', id })
    await refusesNow(401, 'removed')
  })

  test('required claims and email addresses apply to the signer, and a refusal does not use up the nonce', async () => {
    const domain = 'strict.localhost'
    const { hero } = stage.daemon
    const { target } = stage.upstream
    const { id } = await hero.proxy.routes.add({
      domain,
      target,
      auth_mode: 'signature',
      required_claims: ['other.claim'],
    })
    const text = { ...draft(), host: domain }
    const headers = headersOf(text, signDraft(text))
    await refuses(text, headers, 403, 'the claim')
    await hero.proxy.routes.update({ id, required_claims: ['app.use'], allowed_emails: ['*@other.example'] })
    await refuses(text, headers, 403, 'the address')
    await hero.proxy.routes.update({ id, allowed_emails: ['*@example.org'] })
    assert.equal((await send(text, headers)).status, 200)
    await refuses(text, headers, 401, 'again')
  })

  test('cookies do not authenticate here, and the session cookie is not forwarded', async () => {
    const sent = draft()
    await refuses(sent, [['Cookie', stage.ada]], 401, 'cookie')
    const answer = await send(sent, [...headersOf(sent, signDraft(sent)), ['Cookie', stage.bob]])
    const { rawHeaders } = got(answer)
    assert.deepEqual(valuesOf(rawHeaders, 'x-hero-user'), ['ada'])
    assert.deepEqual(valuesOf(rawHeaders, 'cookie'), [])
  })
})
