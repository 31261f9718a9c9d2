import assert from 'node:assert/strict'
import { test } from 'node:test'
import { refuseOverlaps } from '../../src/app/own_paths.ts'
import type { OwnPath } from '../../src/wire/own_path.ts'

const row = (more: Partial<OwnPath>): OwnPath => ({ path: '/x', methods: ['GET'], at: ['home'], ...more })
const post = (more: Partial<OwnPath>) => row({ methods: ['POST'], ...more })

test('two own paths that match the same request stop the start', () => {
  const pairs: [OwnPath, OwnPath][] = [
    [row({}), row({})],
    [row({ at: ['home', 'routed'] }), row({ at: ['routed'] })],
    [row({ methods: ['GET', 'OPTIONS'] }), row({ methods: ['OPTIONS'] })],
    [row({}), row({ methods: [] })],
    [row({ methods: [] }), row({ methods: [] })],
    [row({ path: '/x/{id}' }), row({ path: '/x/{name}' })],
    [row({ path: '/x/*' }), row({ path: '/x/*' })],
    [post({}), post({})],
    [post({ takes: 'json' }), post({ takes: 'json' })],
    [post({ takes: 'json' }), post({})],
    [row({ methods: ['GET', 'POST'], takes: 'json' }), row({ methods: ['GET', 'POST'], takes: 'form' })],
  ]
  for (const [one, other] of pairs) {
    assert.throws(() => refuseOverlaps([one, row({ path: '/y' }), other]), /two own paths overlap: .*\/x/)
    assert.throws(() => refuseOverlaps([other, one]), /two own paths overlap/)
  }
})

test('own paths that differ in path, host, method or body type do not overlap', () => {
  refuseOverlaps([
    row({}),
    row({ at: ['routed'] }),
    row({ path: '/X' }),
    row({ path: '/x/y' }),
    row({ path: '/x/{id}' }),
    row({ path: '/x/*' }),
    post({ takes: 'json' }),
    post({ takes: 'form' }),
    post({ at: ['routed'] }),
  ])
})
