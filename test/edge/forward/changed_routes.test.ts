import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { after, before, describe, test } from 'node:test'
import { startUpstream, type Upstream } from '../../support/upstream.ts'
import { startStage, type Stage } from '../../support/edge_stage.ts'

describe('changes of routes under load (R14)', () => {
  let stage: Stage
  let one: Upstream
  let other: Upstream
  /** Responses to /slow wait for this. */
  const slow = Promise.withResolvers<void>()
  before(async () => {
    stage = await startStage()
    const named = (name: string): Parameters<typeof startUpstream>[0] => {
      return async ({ url }, response) => {
        if (url?.startsWith('/slow')) {
          response.write(name)
          await slow.promise
        }
        response.end(name)
      }
    }
    one = await startUpstream(named('one'))
    other = await startUpstream(named('other'))
  })
  after(async () => {
    await stage.close()
    await one.close()
    await other.close()
  })

  const agent = new Agent({ keepAlive: true, maxSockets: 8 })
  after(() => agent.destroy())
  const sent = (path: string, method: string) => {
    const asked = request({
      port: stage.daemon.edge.port,
      host: '127.0.0.1',
      agent,
      method,
      path,
      headers: { host: 'moving.localhost' },
    })
    asked.end(method === 'POST' ? 'x'.repeat(1000) : undefined)
    return asked
  }
  const answerTo = (path: string, method = 'GET') =>
    new Promise<string>((resolve, reject) => {
      sent(path, method)
        .on('error', reject)
        .on('response', (response) => {
          let text = ''
          response.on('data', (chunk: Buffer) => (text += chunk.toString()))
          response.on('error', reject)
          response.on('end', () => resolve(`${response.statusCode} ${text}`))
        })
    })

  test('during a hundred changes every response comes from the old or the new route, and none is lost', async () => {
    const { routes } = stage.daemon.hero.proxy
    const domain = 'moving.localhost'
    const { id } = await stage.route({ domain, auth_mode: 'none', target: one.target })
    const begun = sent('/slow', 'GET')
    const [long] = await once(begun, 'response')
    const [first] = (await once(long, 'data')) as [Buffer]
    assert.equal(String(first), 'one')

    const answers = new Map<string, number>()
    const clients = { over: false }
    const stream = async (method: string) => {
      for (let i = 0; !clients.over; i++) {
        const answer = await answerTo(`/in/${i}`, method)
        answers.set(answer, (answers.get(answer) ?? 0) + 1)
      }
    }
    const streams = ['GET', 'GET', 'POST', 'GET', 'POST', 'HEAD'].map(stream)

    for (let i = 0; i < 25; i++) {
      await routes.update({ id, target: other.target, more_targets: [] })
      assert.equal(await answerTo('/in/x'), '200 other', 'the next request uses the changed route')
      const inner = await routes.add({ domain, path_prefix: '/in', auth_mode: 'none', target: one.target })
      assert.equal(await answerTo('/in/x'), '200 one')
      await routes.remove({ id: inner.id })
      assert.equal(await answerTo('/in/x'), '200 other')
      await routes.update({ id, target: one.target, more_targets: i % 2 === 0 ? [] : [one.target] })
      assert.equal(await answerTo('/in/x'), '200 one')
    }
    clients.over = true
    await Promise.all(streams)
    assert.deepEqual([...answers.keys()].toSorted(), ['200 ', '200 one', '200 other'])
    assert.ok(Math.min(...answers.values()) > 10, JSON.stringify([...answers]))

    await routes.update({ id, target: other.target })
    slow.resolve()
    let rest = ''
    for await (const chunk of long as AsyncIterable<Buffer>) rest += String(chunk)
    assert.equal(rest, 'one', 'a response in flight continues from its upstream after its route has changed')
    await routes.remove({ id })
    assert.match(await answerTo('/in/x'), /^404 /)
  })
})
