import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { UpstreamChoice } from '../../src/upstream/choice.ts'
import { createLog } from '../../src/log/log.ts'
import { exampleRoute } from '../../src/routes/methods.ts'
import { RouteTable, type RoutePlan } from '../../src/routes/route_table.ts'
import type { Route } from '../../src/routes/route.ts'

const table = (...routes: Partial<Route>[]) =>
  new RouteTable(
    routes.map((route) => ({ route: { ...exampleRoute, ...route }, bearerTokenHash: '' })),
    new Set(),
  )
const planOf = (...targets: string[]) =>
  table({ target: targets[0]!, more_targets: targets.slice(1) })
    .at('wiki.localhost')!
    .match('/') as RoutePlan

const [a, b, c] = ['http://127.0.0.1:1', 'http://127.0.0.1:2', 'unix:/c.sock'] as const

describe('the choice of the upstream for the next request', () => {
  /** Upstreams whose clock only the test advances; nothing is probed. */
  const begin = () => {
    const clock = { now: 0 }
    const upstreams = new UpstreamChoice({
      groups: () => table(),
      log: createLog('silent'),
      now: () => clock.now,
    })
    upstreams.close()
    const names = (plan: RoutePlan, times: number) =>
      Array.from({ length: times }, () => upstreams.next(plan).name)
    return { clock, upstreams, names }
  }
  const counted = (names: readonly string[]) =>
    Object.fromEntries([a, b, c].map((name) => [name, names.filter((one) => one === name).length]))

  test('a sole upstream is chosen even when it is down', () => {
    const { upstreams } = begin()
    const plan = planOf(a)
    upstreams.failed(plan.upstreams[0]!)
    assert.equal(upstreams.next(plan), plan.upstreams[0])
  })

  test('upstreams take turns, and peek uses up no turn', () => {
    const { upstreams, names } = begin()
    const plan = planOf(a, b, c)
    assert.deepEqual(counted(names(plan, 30)), { [a]: 10, [b]: 10, [c]: 10 })
    const next = upstreams.peek(plan)
    assert.equal(upstreams.peek(plan), next)
    assert.equal(upstreams.next(plan), next)
  })

  test('a failed upstream is skipped, and the others share its requests', () => {
    const { upstreams, names } = begin()
    const plan = planOf(a, b, c)
    upstreams.failed(plan.upstreams[1]!)
    assert.deepEqual(counted(names(plan, 30)), { [a]: 15, [b]: 0, [c]: 15 })
    upstreams.succeeded(plan.upstreams[1]!)
    assert.deepEqual(counted(names(plan, 30)), { [a]: 10, [b]: 10, [c]: 10 })
  })

  test('a failed upstream is skipped for a second, and twice as long after each further failure, up to 30 seconds', () => {
    const { clock, upstreams, names } = begin()
    const plan = planOf(a, b)
    const down = plan.upstreams[0]!
    upstreams.failed(down)
    // Requests in flight at the same time fail together, which counts as one failure.
    for (let i = 0; i < 50; i++) upstreams.failed(down)
    for (const seconds of [1, 2, 4, 8, 16, 30, 30]) {
      clock.now += seconds * 1000 - 1
      assert.equal(counted(names(plan, 10))[a], 0, `skipped until ${seconds} s have passed`)
      clock.now += 1
      assert.equal(counted(names(plan, 10))[a], 1, `one request tries it after ${seconds} s`)
      upstreams.failed(down)
    }
  })

  test('only one request at a time tries a failed upstream; another may try if the first gets no result', () => {
    const { clock, upstreams, names } = begin()
    const plan = planOf(a, b)
    upstreams.failed(plan.upstreams[0]!)
    clock.now += 1000
    assert.equal(counted(names(plan, 10))[a], 1)
    clock.now += plan.route.connect_timeout * 1000 - 1
    assert.equal(counted(names(plan, 10))[a], 0)
    clock.now += 1
    assert.equal(counted(names(plan, 10))[a], 1)
    upstreams.succeeded(plan.upstreams[0]!)
    assert.equal(counted(names(plan, 10))[a], 5)
  })

  test('when all upstreams are down they take turns, and a request tries each once', () => {
    const { upstreams, names } = begin()
    const plan = planOf(a, b, c)
    for (const upstream of plan.upstreams) upstreams.failed(upstream)
    assert.deepEqual(counted(names(plan, 30)), { [a]: 10, [b]: 10, [c]: 10 })
    const tried = [upstreams.next(plan)]
    tried.push(upstreams.next(plan, tried))
    tried.push(upstreams.next(plan, tried))
    assert.equal(new Set(tried).size, 3)
    assert.deepEqual(counted(names(plan, 3)), { [a]: 1, [b]: 1, [c]: 1 }, 'the request used up one turn')
  })

  test('the state of an upstream survives a change of the routes', () => {
    const { upstreams, names } = begin()
    upstreams.failed(planOf(a, b).upstreams[0]!)
    assert.deepEqual(counted(names(planOf(b, a), 10)), { [a]: 0, [b]: 10, [c]: 0 })
  })
})
