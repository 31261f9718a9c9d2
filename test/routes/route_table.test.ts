import assert from 'node:assert/strict'
import { describe, mock, test } from 'node:test'
import { exampleRoute } from '../../src/routes/methods.ts'
import { RouteTable, type RoutePlan } from '../../src/routes/route_table.ts'
import type { Route } from '../../src/routes/route.ts'

const tableOf = (routes: readonly Partial<Route>[]) =>
  new RouteTable(
    routes.map((route) => ({ route: { ...exampleRoute, ...route }, bearerTokenHash: '' })),
    new Set(),
  )
const find = (table: RouteTable, host: string, path: string) => table.at(host)?.match(path)
const labelOf = (found: RoutePlan | 'ambiguous' | undefined) =>
  typeof found === 'object' ? `${found.route.domain}${found.route.path_prefix}` : found

/** Counts the lookups in maps while a route is found: the cost, independent of the machine. */
const lookups = (work: () => unknown): number => {
  const asked = mock.method(Map.prototype, 'get')
  try {
    work()
    return asked.mock.callCount()
  } finally {
    asked.mock.restore()
  }
}

describe('the route table', () => {
  test('does not lead out of the one prefix of a host by readings of a path', () => {
    const table = tableOf([{ domain: 'one.example.org', path_prefix: '/app' }])
    assert.equal(labelOf(find(table, 'one.example.org', '/app/x')), 'one.example.org/app')
    for (const path of ['/app/%c0%ae%c0%ae/admin', '/app/%2e%2e/admin', '/%61pp/x'])
      assert.equal(find(table, 'one.example.org', path), 'ambiguous', path)
  })

  test('prefers the exact host to a one-label wildcard, and then the longest matching prefix', () => {
    const table = tableOf([
      { domain: '*.example.org', path_prefix: '/' },
      { domain: '*.example.org', path_prefix: '/deep/er' },
      { domain: 'www.example.org', path_prefix: '/' },
      { domain: 'www.example.org', path_prefix: '/deep' },
      { domain: 'bare.example.org', path_prefix: '/only' },
      { domain: '*.www.example.org', path_prefix: '/' },
      { domain: 'off.example.org', path_prefix: '/', enabled: true },
      { domain: 'off.example.org', path_prefix: '/deep', enabled: false },
      { domain: 'dark.example.org', path_prefix: '/', enabled: false },
    ])
    for (const [host, path, expected] of [
      ['www.example.org', '/', 'www.example.org/'],
      ['www.example.org', '/deep/er', 'www.example.org/deep'],
      ['www.example.org', '/deeper', 'www.example.org/'],
      ['other.example.org', '/deep/er/x', '*.example.org/deep/er'],
      ['other.example.org', '/deep', '*.example.org/'],
      // A host with a route of its own is never served by a wildcard, whatever the path.
      ['bare.example.org', '/', undefined],
      ['bare.example.org', '/only/x', 'bare.example.org/only'],
      ['a.www.example.org', '/', '*.www.example.org/'],
      ['a.b.example.org', '/', undefined],
      ['example.org', '/', undefined],
      // A disabled route keeps its paths and its host.
      ['off.example.org', '/deep/x', 'off.example.org/deep'],
      ['dark.example.org', '/', 'dark.example.org/'],
    ] as const) {
      assert.equal(labelOf(find(table, host, path)), expected, host + path)
    }
  })

  test('does not depend on the order in which routes were added', () => {
    const routes = ['/', '/a', '/a/b', '/a/b/c'].map((path_prefix) => ({ path_prefix }))
    for (const order of [routes, routes.toReversed(), [...routes.slice(2), ...routes.slice(0, 2)]]) {
      const table = tableOf(order)
      for (const [path, expected] of [
        ['/x', '/'],
        ['/a', '/a'],
        ['/a/bb', '/a'],
        ['/a/b/', '/a/b'],
        ['/a/b/c/d/e', '/a/b/c'],
      ] as const)
        assert.equal(labelOf(find(table, 'wiki.localhost', path)), `wiki.localhost${expected}`, path)
    }
  })

  test('lists the routes to probe: enabled, with a health_path', () => {
    const { probed } = tableOf([
      { path_prefix: '/', health_path: '/h' },
      { path_prefix: '/off', health_path: '/h', enabled: false },
      { path_prefix: '/none' },
    ])
    assert.deepEqual(probed.map(labelOf), ['wiki.localhost/'])
  })
})

describe('finding one of ten thousand routes takes no more lookups than one of ten', () => {
  const hosts = (count: number) =>
    tableOf(
      Array.from({ length: count }, (_, i) => ({
        domain: i % 2 === 0 ? `h${i}.example.org` : `*.w${i}.org`,
      })),
    )
  const prefixes = (count: number) =>
    tableOf(Array.from({ length: count }, (_, i) => ({ path_prefix: i === 0 ? '/' : `/p${i}/q` })))

  for (const [name, build, asked] of [
    [
      'hosts',
      hosts,
      [
        ['h8.example.org', '/a/b/c', 'h8.example.org/'],
        ['x.w9.org', '/a/b/c', '*.w9.org/'],
        ['nobody.example.org', '/', undefined],
      ],
    ],
    [
      'prefixes of one host',
      prefixes,
      [
        ['wiki.localhost', '/p9/q/r/s/t/u/v/w', 'wiki.localhost/p9/q'],
        ['wiki.localhost', '/p9/x', 'wiki.localhost/'],
        ['wiki.localhost', '/P9/q', 'ambiguous'],
        ['wiki.localhost', '/%70%39;x/y', 'wiki.localhost/'],
      ],
    ],
  ] as const) {
    test(name, () => {
      const [ten, many] = [build(10), build(10_000)]
      for (const [host, path, expected] of asked) {
        for (const table of [ten, many]) assert.equal(labelOf(find(table, host, path)), expected, host + path)
        const few = lookups(() => find(ten, host, path))
        assert.equal(
          lookups(() => find(many, host, path)),
          few,
          host + path,
        )
        assert.ok(few > 0)
      }
    })
  }
})
