import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { arithmeticEnvelope, type Arithmetic } from './arithmetic.ts'
import { post, speak, type Reply } from './speak.ts'

type Expected = undefined | { id: unknown; result?: unknown; code?: number } | Expected[]

const call = (method: string, params: unknown, id: unknown) =>
  JSON.stringify({ jsonrpc: '2.0', method, params, id })
const notify = (method: string, params?: unknown) => JSON.stringify({ jsonrpc: '2.0', method, params })

/** The examples of the specification (jsonrpc.org/specification, section 7), each with its answer. */
const exchanges: readonly [title: string, sent: string, expected: Expected][] = [
  ['1 positional parameters', call('subtract', [42, 23], 1), { id: 1, result: 19 }],
  ['2 positional, other order', call('subtract', [23, 42], 2), { id: 2, result: -19 }],
  ['3 named parameters', call('subtract', { subtrahend: 23, minuend: 42 }, 3), { id: 3, result: 19 }],
  ['4 named, other order', call('subtract', { minuend: 42, subtrahend: 23 }, 4), { id: 4, result: 19 }],
  ['5 a notification', notify('update', [1, 2, 3, 4, 5]), undefined],
  ['6 a notification of an unknown method', notify('foobar'), undefined],
  ['7 an unknown method', '{"jsonrpc":"2.0","method":"foobar","id":"1"}', { id: '1', code: -32601 }],
  ['8 broken JSON', '{"jsonrpc":"2.0","method":"foobar, "params":"bar","baz]', { id: null, code: -32700 }],
  ['9 an invalid request', '{"jsonrpc":"2.0","method":1,"params":"bar"}', { id: null, code: -32600 }],
  [
    '10 a batch of broken JSON',
    '[{"jsonrpc":"2.0","method":"sum","params":[1,2,4],"id":"1"},{"jsonrpc":"2.0","method"]',
    { id: null, code: -32700 },
  ],
  ['11 an empty batch', '[]', { id: null, code: -32600 }],
  ['12 a batch of one invalid request', '[1]', [{ id: null, code: -32600 }]],
  [
    '13 a batch of three invalid requests',
    '[1,2,3]',
    [
      { id: null, code: -32600 },
      { id: null, code: -32600 },
      { id: null, code: -32600 },
    ],
  ],
  [
    '14 a mixed batch',
    `[${[
      call('sum', [1, 2, 4], '1'),
      notify('notify_hello', [7]),
      call('subtract', [42, 23], '2'),
      '{"foo":"boo"}',
      '{"jsonrpc":"2.0","method":"foo.get","params":{"name":"myself"},"id":"5"}',
      '{"jsonrpc":"2.0","method":"get_data","id":"9"}',
    ].join(',')}]`,
    [
      { id: '1', result: 7 },
      { id: '2', result: 19 },
      { id: null, code: -32600 },
      { id: '5', code: -32601 },
      { id: '9', result: ['hello', 5] },
    ],
  ],
  [
    '15 a batch of notifications',
    `[${notify('notify_sum', [1, 2, 4])},${notify('notify_hello', [7])}]`,
    undefined,
  ],
]

const byId = (a: { id: unknown }, b: { id: unknown }) => String(a.id).localeCompare(String(b.id))

const summarize = ({ id, result, error }: Reply) => (error ? { id, code: error.code } : { id, result })

/** Returns an answer without what the specification leaves open: texts, data and the order in a batch. */
const essence = (text: string | undefined): unknown => {
  if (text === undefined || text === '') return undefined
  const answer = JSON.parse(text) as Reply | Reply[]
  for (const one of [answer].flat()) assert.equal(one.jsonrpc, '2.0')
  return Array.isArray(answer) ? answer.map(summarize).sort(byId) : summarize(answer)
}

const sorted = (expected: Expected) =>
  Array.isArray(expected) ? (expected as { id: unknown }[]).toSorted(byId) : expected

describe('the examples of the JSON-RPC 2.0 specification (D53)', () => {
  let arithmetic: Arithmetic
  before(async () => (arithmetic = await arithmeticEnvelope()))
  after(() => arithmetic.close())

  for (const [title, sent, expected] of exchanges) {
    test(title, async () => {
      assert.deepEqual(essence(await arithmetic.receive(sent)), sorted(expected))
    })
  }

  test('notifications are received with their parameters', () => {
    assert.deepEqual(arithmetic.heard, [
      'update 1,2,3,4,5',
      'notify_hello 7',
      'notify_sum 1,2,4',
      'notify_hello 7',
    ])
  })
})

/** Replaces the methods with existing ones: those with a result return ada, and notifications call `health`. */
const onTheDaemon = (sent: string) =>
  sent
    .replaceAll(/"(subtract|sum)","params":\[[^\]]*\]/g, '"users.get","params":["ada"]')
    .replaceAll(/"subtract","params":\{[^}]*\}/g, '"users.get","params":{"username":"ada"}')
    .replaceAll('"get_data"', '"users.get","params":["ada"]')
    .replaceAll(/"(update|notify_hello|notify_sum)","params":\[[^\]]*\]/g, '"health"')

const expectedOfDaemon = (expected: Expected): Expected => {
  if (Array.isArray(expected)) return expected.map(expectedOfDaemon)
  return expected && 'result' in expected ? { id: expected.id, result: 'ada' } : expected
}

const usernames = (text: string) =>
  text.replaceAll(/"result":\{[^{}]*"username":"([^"]+)"[^{}]*\}/g, '"result":"$1"')

describe('the same exchanges on the socket', () => {
  let daemon: TestDaemon
  before(async () => {
    daemon = await startTestDaemon()
    await daemon.hero.users.add({ username: 'ada', email: 'ada@example.org' })
  })
  after(() => daemon.close())

  for (const [title, example, ofExample] of exchanges) {
    test(`${title}: over HTTP and as a raw line`, async () => {
      const sent = onTheDaemon(example)
      const expected = sorted(expectedOfDaemon(ofExample))
      const { status, text, headers } = await post(daemon.socketPath, sent)
      assert.deepEqual(essence(usernames(text)), expected)
      assert.equal(status, expected === undefined ? 204 : 200)
      if (expected !== undefined) assert.equal(headers['content-type'], 'application/json')
      assert.deepEqual(essence(usernames(await speak(daemon.socketPath, `${sent}\n`))), expected)
    })
  }
})
