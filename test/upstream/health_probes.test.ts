import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { UpstreamChoice } from '../../src/upstream/choice.ts'
import { createLog } from '../../src/log/log.ts'
import { exampleRoute } from '../../src/routes/methods.ts'
import { RouteTable, type RoutePlan } from '../../src/routes/route_table.ts'
import type { Route } from '../../src/routes/route.ts'
import { startUpstream, valuesOf } from '../support/upstream.ts'

const intervalMs = 25

const until = async (holds: () => boolean, what: string) => {
  for (let i = 0; !holds(); i++) {
    assert.ok(i < 400, what)
    await wait(intervalMs)
  }
}

describe('health probes of upstreams', () => {
  /** Two services, one of which answers its probes with a status that the test sets; the routes can be changed. */
  const begin = async () => {
    const shown = { status: 200, silent: false }
    const moody = await startUpstream((_, response) => {
      if (!shown.silent) response.writeHead(shown.status).end()
    })
    const steady = await startUpstream()
    const leads = (route: Partial<Route> = {}) =>
      new RouteTable(
        [
          {
            route: {
              ...exampleRoute,
              target: moody.target,
              more_targets: [steady.target],
              health_path: '/healthz?deep',
              ...route,
            },
            bearerTokenHash: '',
          },
        ],
        new Set(),
      )
    const present = { table: leads() }
    const upstreams = new UpstreamChoice({
      groups: async () => present.table,
      log: createLog('silent'),
      probeIntervalMs: intervalMs,
    })
    const plan = () => present.table.at('wiki.localhost')!.match('/') as RoutePlan
    const given = () => {
      const names = Array.from({ length: 10 }, () => upstreams.next(plan()).name)
      return names.filter((name) => name === moody.target).length
    }
    return {
      shown,
      moody,
      steady,
      leads,
      present,
      upstreams,
      given,
      [Symbol.asyncDispose]: async () => {
        upstreams.close()
        await moody.close()
        await steady.close()
      },
    }
  }

  test('a probe is a GET of the health path, with the target as Host and without identity headers', async () => {
    await using stage = await begin()
    await until(() => stage.moody.seen.length > 0 && stage.steady.seen.length > 0, 'both are probed')
    for (const { seen, target } of [stage.moody, stage.steady]) {
      const { method, url, rawHeaders } = seen[0]!
      assert.deepEqual([method, url], ['GET', '/healthz?deep'])
      assert.deepEqual(valuesOf(rawHeaders, 'host'), [new URL(target).host])
      const names = rawHeaders.filter((_, i) => i % 2 === 0).map((name) => name.toLowerCase())
      assert.deepEqual(names.toSorted(), ['connection', 'host', 'user-agent'])
    }
  })

  test('two failures in a row take an upstream out of rotation, and one success puts it back', async () => {
    await using stage = await begin()
    const { shown, given } = stage
    for (const status of [500, 404, 499]) {
      shown.status = status
      await until(() => given() === 0, `status ${status} counts as a failure`)
      shown.status = status === 404 ? 302 : 204
      await until(() => given() === 5, 'back in rotation')
    }
  })

  test('a single failure changes nothing', async () => {
    await using stage = await begin()
    let asked = 0
    stage.moody.server.prependListener('request', () => {
      stage.shown.status = ++asked % 2 === 0 ? 500 : 200
    })
    await until(() => {
      assert.equal(stage.given(), 5)
      return asked > 10
    }, 'it is probed repeatedly')
  })

  test('when no upstream is healthy, all of them are tried', async () => {
    await using stage = await begin()
    stage.shown.status = 503
    await until(() => stage.given() === 0, 'one is down')
    await stage.steady.close()
    await until(() => stage.given() === 5, 'both are down')
  })

  test('probes follow a change of the routes: another path, a disabled route, a removed route', async () => {
    await using stage = await begin()
    const { moody, present, leads, shown, given } = stage
    shown.status = 500
    await until(() => given() === 0, 'down')
    present.table = leads({ health_path: '/other' })
    await until(() => moody.seen.at(-1)!.url === '/other', 'the other path is probed')
    await until(() => given() === 0, 'down according to the other path')
    for (const table of [
      leads({ enabled: false }),
      leads({ health_path: null }),
      new RouteTable([], new Set()),
    ]) {
      present.table = leads()
      const before = moody.seen.length
      await until(() => moody.seen.length > before, 'it is probed')
      present.table = table
      await wait(intervalMs * 4)
      const { length } = moody.seen
      await wait(intervalMs * 6)
      assert.equal(moody.seen.length, length, 'probes have stopped')
    }
  })

  test('probes continue after the database was unavailable for a while', async () => {
    await using stage = await begin()
    const { table } = stage.present
    Object.defineProperty(stage.present, 'table', {
      configurable: true,
      get: () => {
        throw new Error('away')
      },
    })
    await wait(intervalMs * 4)
    Object.defineProperty(stage.present, 'table', { value: table, writable: true })
    const { length } = stage.moody.seen
    await until(() => stage.moody.seen.length > length, 'probes continue')
  })

  test('close stops probing and ends the probe in flight', async () => {
    await using stage = await begin()
    stage.shown.silent = true
    await until(() => stage.moody.seen.length > 0, 'a probe is under way')
    let ended = false
    stage.moody.server.on('connection', (socket) => socket.on('close', () => (ended = true)))
    stage.upstreams.close()
    stage.upstreams.close()
    const { length } = stage.steady.seen
    await wait(intervalMs * 6)
    assert.ok(stage.steady.seen.length <= length + 1)
    const connections = await new Promise<number>((resolve, reject) => {
      stage.moody.server.getConnections((error, count) => (error ? reject(error) : resolve(count)))
    })
    assert.equal(connections, 0)
    assert.equal(ended, false, 'no new one was opened')
  })
})
