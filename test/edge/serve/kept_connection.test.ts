import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { KeptClient, type Received } from './kept_client.ts'
import { comparable, requests, routeKept, usual } from './lane_requests.ts'
import { got, startStage, type Stage } from '../../support/edge_stage.ts'

let stage: Stage
before(async () => {
  stage = await startStage()
  await routeKept(stage)
})
after(() => stage.close())

/** Requests that leave the connection open: every request of the list is sent after each of them. */
const firsts = [
  'usual',
  'another person',
  'a path that needs a claim',
  'a path that is open to all',
  'no cookie',
  'two Cookie headers',
  'a foreign origin',
  'Basic authorization',
  'Via',
  'POST',
  'DELETE',
  'HEAD',
]

test('a request after others on a connection is answered and forwarded exactly as on a new connection', async () => {
  const { ada, bob, daemon } = stage
  const all = requests(ada, bob)
  const alone = new Map<string, unknown>()
  for (const [name, text] of Object.entries(all)) {
    const client = new KeptClient(daemon.edge.port)
    client.send(text)
    alone.set(name, comparable(await client.receive(name === 'HEAD'), name))
    client.end()
  }
  for (const first of firsts) {
    for (const name of Object.keys(all)) {
      const client = new KeptClient(daemon.edge.port)
      for (const [i, each] of [first, first, name, 'usual'].entries()) {
        if (client.closed) break
        client.send(all[each]!)
        const received = await client.receive(each === 'HEAD')
        // The connection may end after an unusual request; then nobody reads what follows.
        if (i === 3 && received.status === 0) break
        assert.deepEqual(comparable(received, each), alone.get(each), `${first}, then ${name}: ${each}`)
      }
      client.end()
    }
  }
})

describe('two users on one connection', () => {
  const userOf = ({ body }: Received): string => {
    const { rawHeaders } = got({ body })
    return rawHeaders[rawHeaders.indexOf('X-Hero-User') + 1]!
  }

  test('keep their own identity, whether their requests come in turn, pipelined or split', async () => {
    const { ada, bob, daemon } = stage
    const client = new KeptClient(daemon.edge.port)
    const [one, other] = [usual(ada), usual(bob, { line: 'GET /second' })]
    client.send(one)
    assert.equal(userOf(await client.receive()), 'ada')
    client.send(one + other + one)
    const users = [await client.receive(), await client.receive(), await client.receive()].map(userOf)
    assert.deepEqual(users, ['ada', 'bob', 'ada'])
    client.send(one.slice(0, 30))
    await delay(20)
    client.send(one.slice(30) + other)
    assert.deepEqual([await client.receive(), await client.receive()].map(userOf), ['ada', 'bob'])
    client.end()
  })

  test('keep their own identity over sixty requests with twenty alternating cookies', async () => {
    const { ada, bob, daemon } = stage
    const client = new KeptClient(daemon.edge.port)
    for (let i = 0; i < 60; i++) {
      // Each cookie text is a key of its own.
      const cookie = `n=${i % 20}; ${i % 3 === 0 ? bob : ada}`
      client.send(usual(cookie))
      assert.equal(userOf(await client.receive()), i % 3 === 0 ? 'bob' : 'ada')
    }
    client.end()
  })
})

test('a revoked permission is gone for the next request of a persistent connection', async () => {
  const { daemon, bob } = stage
  const { hero } = daemon
  const client = new KeptClient(daemon.edge.port)
  const status = async (line?: string) => {
    client.send(usual(bob, line === undefined ? {} : { line }))
    return (await client.receive()).status
  }
  assert.deepEqual([await status(), await status(), await status()], [200, 200, 200])
  assert.equal(await status('GET /claimed'), 403)
  await hero.groups.add_member({ group: 'team', user: 'bob' })
  assert.deepEqual([await status('GET /claimed'), await status('GET /claimed')], [200, 200])
  await hero.groups.remove_member({ group: 'team', user: 'bob' })
  assert.equal(await status('GET /claimed'), 403)
  assert.deepEqual([await status(), await status()], [200, 200])
  await hero.sessions.revoke_all({ user: 'bob' })
  assert.equal(await status(), 401)
  client.end()
})
