import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { goodPassword, startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { callHttp, callLine, speakLines, type Reply } from './speak.ts'

const eve = { username: 'eve', email: 'eve@example.org' }

describe('callers on the socket', () => {
  let daemon: TestDaemon
  let path: string
  const tokens: Record<string, string> = {}

  before(async () => {
    daemon = await startTestDaemon()
    path = daemon.socketPath
    for (const username of ['ada', 'grace', 'root']) {
      await daemon.hero.users.add({
        username,
        email: `${username}@example.org`,
        password: goodPassword,
        is_admin: username === 'root',
      })
      tokens[username] = (
        await daemon.hero.auth.login({ login: username, password: goodPassword })
      ).access_token
    }
  })
  after(() => daemon.close())

  const bearer = (username: string) => `Bearer ${tokens[username]}`
  /** Makes the call with each of the three ways to send a token. */
  const ways = (authorization: string, method: string, params: object = {}): [string, Promise<Reply>][] => [
    ['header', callHttp(path, method, params, ['Authorization', authorization])],
    ['member on a line', callLine(path, method, params, { authorization })],
    ['member over HTTP', callHttp(path, method, params, [], { authorization })],
  ]
  const noEve = async () => {
    const { items } = await daemon.hero.users.list()
    assert.ok(!items.some(({ username }) => username === 'eve'))
  }

  test("the daemon's user and root are the operator, audited as system with uid and pid", async () => {
    assert.ok((await callLine(path, 'stats')).result)
    assert.ok((await callHttp(path, 'stats')).result)
    await daemon.hero.groups.add({ slug: 'audited' })
    const [entry] = (await daemon.hero.audit.list({ method: 'groups.add', limit: 1 })).items
    assert.equal(entry?.actor, 'system')
    assert.equal(entry.caller, 'operator')
    assert.equal(entry.via, 'socket')
    assert.equal(entry.uid, process.getuid!())
    assert.equal(entry.pid, process.pid)
  })

  test("a bearer token replaces the operator with its person and that person's rights", async () => {
    for (const [way, reply] of ways(bearer('ada'), 'auth.me')) {
      assert.match(JSON.stringify((await reply).result), /"ada"/, way)
    }
    for (const [way, reply] of ways(bearer('ada'), 'users.add', eve)) {
      const { error } = await reply
      assert.equal(error?.code, -32001, way)
      assert.equal(error.data.code, 'claim_required', way)
      assert.deepEqual(error.data.claims, ['proxy.users.write'], way)
    }
    await noEve()
  })

  test("an administrator's token has the administrator's claims and is audited under that name", async () => {
    for (const [i, [way, reply]] of ways(bearer('root'), 'stats').entries()) {
      assert.ok((await reply).result, way)
      await callLine(path, 'groups.add', { slug: `by-root-${i}` }, { authorization: bearer('root') })
    }
    const [entry] = (await daemon.hero.audit.list({ method: 'groups.add', limit: 1 })).items
    assert.equal(entry?.actor, 'root')
    assert.equal(entry.caller, 'user')
    assert.equal(entry.pid, process.pid)
  })

  test('an invalid token is refused for each method, and does not fall back to the operator', async () => {
    const token = tokens.ada!
    const gone = (await daemon.hero.auth.login({ login: 'ada', password: goodPassword })).access_token
    await daemon.hero.as(gone).auth.logout()
    const flipped = `${token.startsWith('A') ? 'B' : 'A'}${token.slice(1)}`
    for (const authorization of [
      'Bearer',
      'Bearer ',
      'Bearer x',
      `Bearer ${gone}`,
      `Bearer ${flipped}`,
      `Bearer ${token}x`,
      `Bearer ${token.slice(0, -1)}`,
      `Bearer ${token}=`,
      `Bearer ${token} ${token}`,
      `Bearer ${token},${token}`,
      `Bearer "${token}"`,
      `Bearer: ${token}`,
      `Basic ${btoa(`ada:${goodPassword}`)}`,
      `Basic ${token}`,
      token,
      'null',
      'undefined',
      '',
    ]) {
      for (const method of ['users.add', 'health', 'auth.me']) {
        for (const [way, reply] of ways(authorization, method, method === 'users.add' ? eve : {})) {
          const { error } = await reply
          assert.equal(error?.data.code, 'unauthenticated', `${way}, ${method}: ${authorization}`)
          assert.ok(!JSON.stringify(error).includes(token.slice(0, 12)))
        }
      }
    }
    await noEve()
  })

  test('an authorization member that is not a string is an invalid request', async () => {
    for (const authorization of [null, 0, true, {}, [bearer('ada')]]) {
      const { error } = await callLine(path, 'users.add', eve, { authorization })
      assert.equal(error?.code, -32600)
    }
    await noEve()
  })

  test('a header and a member that differ are refused, and equal ones are accepted', async () => {
    const both = (header: string, authorization: string) =>
      callHttp(path, 'auth.me', {}, ['Authorization', header], { authorization })
    assert.equal((await both(bearer('ada'), bearer('grace'))).error?.data.code, 'unauthenticated')
    assert.equal((await both(bearer('ada'), '')).error?.data.code, 'unauthenticated')
    assert.equal((await both('', bearer('ada'))).error?.data.code, 'unauthenticated')
    assert.match(JSON.stringify((await both(bearer('ada'), bearer('ada'))).result), /"ada"/)
  })

  test('two Authorization headers are refused, and one after many other headers counts', async () => {
    const twice = ['Authorization', bearer('ada'), 'authorization', bearer('ada')]
    assert.equal((await callHttp(path, 'auth.me', {}, twice)).error?.data.code, 'unauthenticated')
    const many = Array.from({ length: 300 }, (_, i) => [`X-${i}`, 'y']).flat()
    const last = await callHttp(path, 'users.add', eve, [...many, 'Authorization', 'Bearer x'])
    assert.equal(last.error?.data.code, 'unauthenticated')
    await noEve()
  })

  test('each message of a batch, and each line of a connection, has its own caller', async () => {
    const me = (id: string, username?: string) => ({
      jsonrpc: '2.0',
      id,
      method: username === undefined ? 'stats' : 'auth.me',
      ...(username !== undefined && { authorization: bearer(username) }),
    })
    const who = ({ id, result }: Reply) => {
      const name = String(id).split(' ')[0]!
      assert.match(JSON.stringify(result), name === 'system' ? /"uptime_seconds"/ : new RegExp(`"${name}"`))
    }
    const messages = Array.from({ length: 16 }, (_, i) => [
      me(`ada ${i}`, 'ada'),
      me(`system ${i}`),
      me(`grace ${i}`, 'grace'),
    ]).flat()
    const [batch] = (await speakLines(path, messages)) as [Reply[]]
    assert.equal(batch.length, 48)
    batch.forEach(who)
    const lines = (await speakLines(path, ...messages)) as Reply[]
    assert.equal(lines.length, 48)
    lines.forEach(who)
  })

  test('a deactivated or removed person is refused at the next call', async () => {
    const me = (username: string) => callLine(path, 'auth.me', {}, { authorization: bearer(username) })
    assert.ok((await me('grace')).result)
    await daemon.hero.users.update({ username: 'grace', is_active: false })
    assert.equal((await me('grace')).error?.data.code, 'unauthenticated')
    await daemon.hero.users.remove({ username: 'grace' })
    assert.equal((await me('grace')).error?.data.code, 'unauthenticated')
    assert.equal(
      (await callHttp(path, 'health', {}, ['Authorization', bearer('grace')])).error?.data.code,
      'unauthenticated',
    )
  })
})
