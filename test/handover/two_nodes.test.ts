import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { childHash } from '../../src/sessions/child_sessions.ts'
import { newId, now } from '../../src/storage/ids.ts'
import { goodPassword, startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { got, postForm, startStage, type Stage } from '../support/edge_stage.ts'
import { signIn } from '../support/http.ts'
import { byHand } from '../support/people.ts'
import { postgresMissing, startPostgres, type TestPostgres } from '../support/postgres.ts'
import { valuesOf } from '../support/upstream.ts'
import { Walker } from './steps.ts'

const home = 'http://localhost:9997'
const wiki = 'http://wiki.localhost:9997'
const session = '__Host-hero_proxy_session'
const userOf = (body: string) => valuesOf(got({ body }).rawHeaders, 'x-hero-user')[0]
const field = (body: string, name: string) =>
  new RegExp(`name="${name}" value="([^"]*)"`).exec(body)?.[1] ?? ''

describe('two nodes on one PostgreSQL', { skip: postgresMissing() ?? false }, () => {
  let postgres: TestPostgres
  let stage: Stage
  let other: TestDaemon & AsyncDisposable
  let nodes: readonly TestDaemon[]
  before(async () => {
    postgres = await startPostgres()
    const settings = {
      database_url: postgres.newDatabase(),
      secret: randomBytes(32).toString('base64url'),
    }
    stage = await startStage(settings)
    other = await startTestDaemon(settings)
    nodes = [stage.daemon, other]
    await stage.route({ domain: 'wiki.localhost', auth_mode: 'local' })
  })
  after(async () => {
    await other?.[Symbol.asyncDispose]()
    await stage?.close()
    await postgres.stop()
  })

  /** A balancer in front of both: each request goes to the node that did not get the one before. */
  const balanced = () => {
    let turn = 0
    return {
      get edge() {
        return nodes[turn++ % nodes.length]!.edge
      },
    }
  }
  /** Waits until both nodes refuse every one of these cookies, and returns the milliseconds. */
  const refusedEverywhere = async (cookies: readonly string[]): Promise<number> => {
    const began = performance.now()
    for (const node of nodes)
      for (let left = [...cookies]; left.length > 0;) {
        const passes = await Promise.all(
          left.map(async (cookie) => {
            const walker = new Walker(node)
            walker.keep('wiki.localhost', cookie)
            return (await walker.step(`${wiki}/page`)).status === 200
          }),
        )
        left = left.filter((_, i) => passes[i])
        if (performance.now() - began > 15_000) assert.fail(`${left.length} sessions still count`)
        if (left.length > 0) await delay(20)
      }
    return performance.now() - began
  }

  test('a handover begins at one and ends at the other; signing out at one ends it at both', async () => {
    const ada = new Walker(balanced())
    ada.keep('localhost', await signIn(other, 'localhost', 'ada', goodPassword))
    assert.equal(userOf((await ada.walk(`${wiki}/page`)).answer.body), 'ada')
    // Of one code that both get at the same time, one of them takes it.
    ada.jar.get('wiki.localhost')!.delete(session)
    const code = (await ada.walk(`${wiki}/page`, `${wiki}/.hero_proxy/arrive`)).addresses.at(-1)!
    const shown = await Promise.all(Array.from({ length: 10 }, () => ada.step(code, { keeps: false })))
    const opened = shown.flatMap(({ headers }) =>
      (headers['set-cookie'] ?? []).filter((line) => line.startsWith(session)),
    )
    assert.equal(opened.length, 1)
    const child = opened[0]!.split(';')[0]!
    ada.keep('wiki.localhost', child)
    for (let i = 0; i < 4; i++) assert.equal((await ada.step(`${wiki}/page`)).status, 200)
    const { answer } = await ada.walk(`${wiki}/.hero_proxy/sign_out`)
    const form = {
      form_token: field(answer.body, 'form_token'),
      leaving: field(answer.body, 'leaving'),
      scope: 'everywhere',
    }
    const cookie = ['Cookie', ada.cookies('localhost')]
    assert.ok((await postForm(stage.daemon, 'localhost', '/auth/logout', form, cookie)).status < 400)
    await refusedEverywhere([child])
    for (const node of nodes) {
      const before = new Walker(node)
      before.jar.set('localhost', new Map(ada.jar.get('localhost')))
      assert.notEqual((await before.step(`${home}/auth/security`)).status, 200)
    }
  })

  test('a sign-in with 1,000 sessions ends at both within seconds', async (t) => {
    const bob = await signIn(stage.daemon, 'localhost', 'bob', goodPassword)
    const tokens = Array.from({ length: 1000 }, () => randomBytes(32).toString('base64url'))
    await byHand(stage.daemon, async ({ query }) => {
      const { id } = await query
        .selectFrom('sessions')
        .innerJoin('users', 'users.id', 'sessions.user_id')
        .select('sessions.id')
        .where('username', '=', 'bob')
        .orderBy('sessions.id', 'desc')
        .executeTakeFirstOrThrow()
      const rows = tokens.map((token, i) => ({
        id: newId(),
        token_hash: childHash(token, { host: 'wiki.localhost', secure: false }),
        parent_id: id,
        origin: wiki,
        arrival_hash: String(i),
        round: 1,
        passage: '',
        opened_at: now(),
      }))
      await query.insertInto('child_sessions').values(rows).execute()
    })
    const cookies = tokens.filter((_, i) => i % 20 === 0).map((token) => `${session}=${token}`)
    for (const node of nodes)
      for (const cookie of cookies) {
        const walker = new Walker(node)
        walker.keep('wiki.localhost', cookie)
        assert.equal((await walker.step(`${wiki}/page`)).status, 200)
      }
    const began = performance.now()
    await other.hero.sessions.revoke_all({ user: 'bob' })
    const revokedMs = performance.now() - began
    const ms = await refusedEverywhere(cookies)
    t.diagnostic(`the call took ${revokedMs.toFixed()} ms, and ${ms.toFixed()} ms later all were refused`)
    assert.ok(revokedMs + ms < 8000)
    const left = await byHand(stage.daemon, ({ query }) =>
      query.selectFrom('child_sessions').select('id').where('arrival_hash', 'in', ['1', '999']).execute(),
    )
    assert.deepEqual(left, [])
    const walker = new Walker(stage.daemon)
    walker.keep('localhost', bob)
    assert.notEqual((await walker.step(`${home}/auth/security`)).status, 200)
  })
})
