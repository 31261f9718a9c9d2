import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { operator } from '../../src/contract/caller.ts'
import { AppError, errorTable } from '../../src/contract/errors.ts'
import type { Identify } from '../../src/rpc/envelope.ts'
import { arithmeticEnvelope, type Arithmetic } from './arithmetic.ts'
import type { Reply } from './speak.ts'

describe('JSON-RPC beyond the examples of the specification (D53)', () => {
  let arithmetic: Arithmetic
  before(async () => (arithmetic = await arithmeticEnvelope()))
  after(() => arithmetic.close())

  const receive = async (text: string | Buffer) => {
    const answer = await arithmetic.receive(text)
    return answer === undefined ? undefined : (JSON.parse(answer) as Reply & Reply[])
  }
  const ask = (message: object) => receive(JSON.stringify(message))
  const subtract = { jsonrpc: '2.0', method: 'subtract', params: [42, 23], id: 1 }

  for (const jsonrpc of ['1.0', '2', 2, 2.0, null, undefined, ['2.0']]) {
    test(`jsonrpc ${JSON.stringify(jsonrpc)} is an invalid request, answered with its id`, async () => {
      const answer = await ask({ ...subtract, jsonrpc })
      assert.equal(answer?.error?.code, -32600)
      assert.equal(answer.id, 1)
    })
  }

  for (const id of ['', 'a', '1', 0, -1, 1.5, 9007199254740991, null, 'ü\u0000"', 'constructor']) {
    test(`id ${JSON.stringify(id)} is returned unchanged`, async () => {
      assert.deepEqual(await ask({ ...subtract, id }), { jsonrpc: '2.0', id, result: 19 })
      const failed = await ask({ ...subtract, id, method: 'refuses', params: {} })
      assert.equal(failed?.id, id)
    })
  }

  for (const id of ['{}', '[]', '[1]', 'true', 'false', '1e999', '-1e999']) {
    test(`id ${id} is an invalid request, answered with a null id`, async () => {
      const answer = await receive(`{"jsonrpc":"2.0","method":"subtract","params":[42,23],"id":${id}}`)
      assert.equal(answer?.error?.code, -32600)
      assert.equal(answer.id, null)
    })
  }

  test('an unpaired surrogate is a parse error', async () => {
    const fetchAnswer = (params: string, id = '1') =>
      receive(`{"jsonrpc":"2.0","method":"subtract","params":${params},"id":${id}}`)
    for (const half of ['\\ud800', '\\uDFFF', 'x\\udc00\\ud800', '\\\\\\ud83d'])
      for (const params of [`["${half}"]`, `{"${half}":1}`, `[[{"a":"${half}"}]]`])
        assert.equal((await fetchAnswer(params))?.error?.code, -32700, params)
    assert.equal((await fetchAnswer('[42,23]', '"\\ud800"'))?.error?.code, -32700)
    for (const whole of ['\\ud83d\\ude00', '\\\\ud800', '\\ud7ff', '😀'])
      assert.equal((await fetchAnswer('[42,23]', `"${whole}"`))?.id, JSON.parse(`"${whole}"`), whole)
  })

  for (const params of ['bar', '', 0, 1, true, false, null]) {
    test(`params ${JSON.stringify(params)} is an invalid request`, async () => {
      assert.equal((await ask({ ...subtract, params }))?.error?.code, -32600)
    })
  }

  test('method must be a string', async () => {
    for (const method of [1, null, {}, ['subtract'], undefined]) {
      assert.equal((await ask({ ...subtract, method }))?.error?.code, -32600)
    }
    for (const method of ['', 'SUBTRACT', 'subtract ', '__proto__', 'constructor', 'rpc.anything']) {
      assert.equal((await ask({ ...subtract, method }))?.error?.code, -32601)
    }
  })

  test('unknown members are ignored', async () => {
    assert.equal((await ask({ ...subtract, extra: { deep: [1] }, result: 7, error: null }))?.result, 19)
  })

  test('the last of two equal keys counts, for validation and use', async () => {
    const twice =
      '{"jsonrpc":"2.0","id":1,"method":"throws","method":"subtract","params":[1],"params":[42,23]}'
    assert.equal((await receive(twice))?.result, 19)
    const inside =
      '{"jsonrpc":"2.0","id":1,"method":"subtract","params":{"minuend":"x","minuend":42,"subtrahend":23}}'
    assert.equal((await receive(inside))?.result, 19)
    const wrongLast =
      '{"jsonrpc":"2.0","id":1,"method":"subtract","params":{"minuend":42,"minuend":"x","subtrahend":23}}'
    assert.equal((await receive(wrongLast))?.error?.code, -32602)
  })

  test('an error names the path of the invalid parameter, and not its value', async () => {
    const wrong = async (params: unknown) => {
      const { error } = (await ask({ ...subtract, params }))!
      assert.equal(error!.code, -32602)
      assert.equal(error!.data.code, 'invalid_params')
      assert.ok(!JSON.stringify(error).includes('hunter2'))
      return error!.data.path
    }
    assert.equal(await wrong({ minuend: 42 }), 'subtrahend')
    assert.equal(await wrong([42]), 'subtrahend')
    assert.equal(await wrong({ minuend: 'hunter2', subtrahend: 1 }), 'minuend')
    assert.equal(await wrong(['hunter2', 1]), 'minuend')
    assert.equal(await wrong({ minuend: 1, subtrahend: 1, third: 'hunter2' }), 'third')
    assert.equal(await wrong([1, 2, 3]), '2')
    assert.equal(await wrong({}), 'minuend')
  })

  test('__proto__ and constructor are ordinary, unknown parameters', async () => {
    for (const key of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
      const text = `{"jsonrpc":"2.0","id":1,"method":"subtract","params":{"minuend":42,"subtrahend":23,"${key}":{"minuend":1}}}`
      const answer = await receive(text)
      assert.equal(answer?.error?.code, -32602)
      assert.equal(answer.error.data.path, key)
    }
    const only =
      '{"jsonrpc":"2.0","id":1,"method":"subtract","params":{"__proto__":{"minuend":42,"subtrahend":23}}}'
    assert.equal((await receive(only))?.error?.code, -32602)
    const envelope = '{"__proto__":{"jsonrpc":"2.0","id":1,"method":"subtract","params":[42,23]}}'
    assert.equal((await receive(envelope))?.error?.code, -32600)
    assert.equal(({} as { minuend?: number }).minuend, undefined)
  })

  test('a batch of one gets an array of one', async () => {
    assert.deepEqual(await receive(JSON.stringify([subtract])), [{ jsonrpc: '2.0', id: 1, result: 19 }])
  })

  test('null and nested batches are invalid requests at their position in the batch', async () => {
    for (const [text, count] of [
      ['[null]', 1],
      ['[null,null]', 2],
      ['[[]]', 1],
      [`[[${JSON.stringify(subtract)}]]`, 1],
      ['["subtract",true,{}]', 3],
    ] as const) {
      const answers = (await receive(text))!
      assert.deepEqual(
        answers.map(({ id, error }) => [id, error?.code]),
        Array.from({ length: count }, () => [null, -32600]),
      )
    }
  })

  test('a message that is neither an object nor an array is an invalid request', async () => {
    for (const text of ['null', '1', '"subtract"', 'true']) {
      assert.equal((await receive(text))?.error?.code, -32600)
    }
  })

  test('a batch of fifty calls is accepted, and one of fifty-one is refused without any call', async () => {
    const batch = (size: number) =>
      JSON.stringify(
        Array.from({ length: size }, (_, id) => ({ jsonrpc: '2.0', method: 'update', params: [id], id })),
      )
    const before = arithmetic.heard.length
    assert.equal((await receive(batch(50)))!.length, 50)
    assert.equal(arithmetic.heard.length, before + 50)
    for (const size of [51, 10_000]) {
      const answer: Reply = (await receive(batch(size)))!
      assert.equal(Array.isArray(answer), false)
      assert.equal(answer.id, null)
      assert.equal(answer.error?.code, -32600)
      assert.match(answer.error.message, /at most 50/)
    }
    assert.equal(arithmetic.heard.length, before + 50)
  })

  test('invalid UTF-8 is a parse error', async () => {
    const text = Buffer.from(JSON.stringify({ ...subtract, id: 'x' }))
    text[text.indexOf('x')] = 0xff
    assert.equal((await receive(text))?.error?.code, -32700)
  })

  test('a failing notification gets no answer', async () => {
    for (const method of ['throws', 'refuses', 'answers_wrongly', 'loses_database']) {
      assert.equal(await ask({ jsonrpc: '2.0', method }), undefined)
      assert.equal(await ask({ jsonrpc: '2.0', method: `${method}_later` }), undefined)
    }
    assert.equal(await ask({ jsonrpc: '2.0', method: 'subtract', params: ['x'] }), undefined)
  })

  const faults = ['throws', 'throws_text', 'throws_disguised', 'answers_wrongly']
  for (const method of faults.flatMap((name) => [name, `${name}_later`])) {
    test(`${method}: an internal error returns an incident ID, and the log has its cause`, async () => {
      const text = (await arithmetic.receive(JSON.stringify({ jsonrpc: '2.0', method, id: 7 })))!
      assert.doesNotMatch(text, /hunter2|secret|password|stack|schema|\.ts/)
      const { id, error } = JSON.parse(text) as Reply
      assert.equal(id, 7)
      assert.equal(error?.code, -32603)
      assert.equal(error.message, 'Internal error')
      assert.deepEqual(Object.keys(error.data).sort(), ['code', 'incident'])
      const line = arithmetic.logged.find(({ incident }) => incident === error.data.incident)
      assert.equal(line?.msg, 'internal error')
    })
  }

  test('an expected failure returns its code, message and data, and logs no incident', async () => {
    const logged = arithmetic.logged.length
    const answer = await ask({ jsonrpc: '2.0', method: 'refuses', id: 1 })
    assert.deepEqual(answer?.error, {
      code: errorTable.conflict.code,
      message: 'Not now',
      data: { detail: 'test', code: 'conflict' },
    })
    assert.equal(arithmetic.logged.length, logged)
  })

  test('a synchronous read is answered without a promise, and an asynchronous one the same', async () => {
    const message = JSON.stringify(subtract)
    const identify = () => operator({ via: 'socket' })
    const atOnce = arithmetic.receive(message, identify)
    assert.equal(atOnce, '{"jsonrpc":"2.0","id":1,"result":19}')
    assert.equal(await arithmetic.receive(message, async () => identify()), atOnce)
  })

  test('a synchronous failure is reported like an asynchronous one', async () => {
    const fetchAnswer = async (method: string, identify?: Identify) => {
      const answer = await arithmetic.receive(JSON.stringify({ jsonrpc: '2.0', id: 1, method }), identify)
      const { error } = JSON.parse(answer!) as Reply
      return { ...error, data: { ...error!.data, incident: typeof error!.data.incident } }
    }
    for (const method of ['throws', 'answers_wrongly', 'refuses', 'loses_database']) {
      assert.deepEqual(await fetchAnswer(method), await fetchAnswer(`${method}_later`), method)
    }
    assert.equal((await fetchAnswer('loses_database')).data.code, 'unavailable')
    assert.equal(
      arithmetic.logged.filter(({ msg }) => msg === 'the database does not answer').length > 0,
      true,
    )
    for (const fault of [new AppError('unauthenticated'), new Error('a bug')]) {
      const atOnce = await fetchAnswer('subtract', () => {
        throw fault
      })
      assert.deepEqual(atOnce, await fetchAnswer('subtract', () => Promise.reject(fault)))
      assert.equal(atOnce.data.code, fault instanceof AppError ? 'unauthenticated' : 'internal_error')
    }
  })

  test('our own error codes are in the server range, and the others are from the specification', () => {
    const named = new Set([-32700, -32600, -32601, -32602, -32603])
    for (const [name, { code }] of Object.entries(errorTable)) {
      assert.ok(named.has(code) || (code <= -32000 && code >= -32099), name)
    }
  })
})
