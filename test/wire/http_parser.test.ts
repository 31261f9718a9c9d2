import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { HeaderNames } from '../../src/wire/header_names.ts'
import { comparedWith } from '../../src/wire/llhttp/llhttp.ts'
import {
  endsAt,
  head,
  inbox,
  isUsual,
  methodNames,
  numberAt,
  parts,
  readChunkedBody,
  readRequestHead,
  readResponseHead,
  spans,
} from '../../src/wire/parser.ts'

const put = (text: string): number => inbox.write(text, 0, 'latin1')
const textOf = (start: number, end: number) => inbox.toString('latin1', start, end)
const headers = (): [string, string][] =>
  Array.from({ length: head.count }, (_, i) => [
    textOf(spans[i * 4]!, spans[i * 4 + 1]!),
    textOf(spans[i * 4 + 2]!, spans[i * 4 + 3]!),
  ])

test('Node bundles no llhttp newer than the version that the parser was compared with', () => {
  const number = (version: string) => version.split('.').reduce((sum, part) => sum * 1000 + Number(part), 0)
  const running = process.versions.llhttp!
  assert.ok(
    number(running) <= number(comparedWith),
    `Node has llhttp ${running}: read what changed since ${comparedWith}, run test/edge, then raise comparedWith`,
  )
})

describe('a request head', () => {
  test('is reported as byte offsets, at any position in the inbox', () => {
    const first = 'GET /a?b HTTP/1.1\r\nHost: x\r\nX-A: b c \r\n\r\n'
    const length = put(`${first}POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc`)
    assert.ok(readRequestHead(length))
    assert.equal(methodNames[head.method], 'GET')
    assert.equal(textOf(head.urlStart, head.urlEnd), '/a?b')
    assert.deepEqual(headers(), [
      ['Host', 'x'],
      ['X-A', 'b c '],
    ])
    assert.deepEqual([head.end, head.keepAlive, head.upgrade], [first.length, true, false])
    assert.ok(readRequestHead(length, first.length))
    assert.equal(methodNames[head.method], 'POST')
    assert.equal(textOf(head.end, length), 'abc')
  })

  for (const [what, text] of Object.entries({
    'an incomplete head': 'GET / HTTP/1.1\r\nHost: x\r\n',
    'HTTP/1.0': 'GET / HTTP/1.0\r\nHost: x\r\n\r\n',
    'HTTP/2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    'a folded value': 'GET / HTTP/1.1\r\nX: a\r\n b\r\n\r\n',
    'a space before the colon': 'GET / HTTP/1.1\r\nX : a\r\n\r\n',
    'Content-Length and Transfer-Encoding':
      'POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
    'two Content-Length headers': 'POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na',
    'a bare carriage return': 'GET / HTTP/1.1\r\nX: a\rb\r\n\r\n',
    'too many headers': `GET / HTTP/1.1\r\n${'X: y\r\n'.repeat(129)}\r\n`,
  }))
    test(`the parser does not accept ${what}, and reads the next request`, () => {
      assert.equal(readRequestHead(put(text)), false)
      assert.ok(readRequestHead(put('GET / HTTP/1.1\r\nHost: x\r\n\r\n')))
      assert.deepEqual(headers(), [['Host', 'x']])
    })
})

describe('a response with a chunked body', () => {
  test('is read when the last chunk ends where the received bytes end', () => {
    const start = 'HTTP/1.1 201 All Good\r\nTransfer-Encoding: chunked\r\n\r\n'
    const length = put(`${start}3\r\nabc\r\n5;x=y\r\ndefgh\r\n0\r\n\r\n`)
    assert.ok(readResponseHead(length))
    assert.deepEqual([head.status, textOf(head.reasonStart, head.reasonEnd)], [201, 'All Good'])
    assert.equal(readChunkedBody(length), 2)
    assert.deepEqual([textOf(parts[0]!, parts[1]!), textOf(parts[2]!, parts[3]!)], ['abc', 'defgh'])
    assert.equal(head.end, start.length)
  })

  for (const [what, body] of Object.entries({
    'no last chunk': '3\r\nabc\r\n',
    'its last byte missing': '3\r\nabc\r\n0\r\n\r',
    'a trailer': '3\r\nabc\r\n0\r\nX: y\r\n\r\n',
    'a second response': '0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
    'a second response without headers': '0\r\n\r\nHTTP/1.1 200 \r\n\r\npoison',
    'one byte too many': '3\r\nabc\r\n0\r\n\r\nX',
    'an invalid chunk size': 'x\r\nabc\r\n0\r\n\r\n',
  }))
    test(`a chunked body with ${what} is not read as complete`, () => {
      const length = put(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${body}`)
      assert.ok(readResponseHead(length))
      assert.equal(readChunkedBody(length), -1)
    })
})

test('a header line in the usual form has one space before its value and none after it', () => {
  const usualAmong = (line: string) => {
    assert.ok(readRequestHead(put(`GET / HTTP/1.1\r\n${line}\r\n\r\n`)), line)
    return isUsual(0, 'GET / HTTP/1.1\r\n'.length)
  }
  assert.ok(usualAmong('X-A: b c'))
  for (const line of ['X-A:b', 'X-A:  b', 'X-A:\tb', 'X-A: b ', 'X-A: b\t', 'X-A:', 'X-A: '])
    assert.equal(usualAmong(line), false, line)
})

test('every line of a head in the usual form ends with CRLF, even where llhttp accepts something else', () => {
  const text = 'GET / HTTP/1.1\r\nA: b\r\nC: d\r\n\r\n'
  const start = text.indexOf('C: d')
  const last = text.length - 2
  const isPlain = () => isUsual(4, start) && endsAt(last)
  assert.ok(readRequestHead(put(text)))
  assert.ok(isPlain())
  assert.equal(isUsual(4, text.indexOf('A: b')), false)
  assert.equal(endsAt(last - 2), false)
  assert.equal(endsAt(last + 2), false)
  for (const at of [start - 2, start - 1, last - 2, last - 1, last, last + 1]) {
    const [byte] = inbox.subarray(at, at + 1)
    inbox[at] = 0x0b
    assert.equal(isPlain(), false, `another byte at ${at}`)
    inbox[at] = byte!
  }
})

test('a number consists of digits only', () => {
  for (const [text, number] of [
    ['0', 0],
    ['42', 42],
    ['999999999999999', 999999999999999],
    ['9999999999999999', -1],
    ['', -1],
    ['+1', -1],
    ['1 ', -1],
    ['0x1', -1],
  ] as const)
    assert.equal(numberAt(0, put(text)), number, text)
})

test('header names are looked up by their bytes, however many names a client invents', () => {
  let treated = 0
  const names = new HeaderNames((text, lower) => {
    treated++
    return text === lower
  })
  const find = (text: string) => names.at(0, put(text))
  assert.equal(find('Host'), find('Host'))
  assert.deepEqual(
    [find('Host').lower, find('Host').treatment, find('host').treatment],
    ['host', false, true],
  )
  assert.equal(treated, 2)
  for (let i = 0; i < 20_000; i++) assert.equal(find(`x-${i}`).text, `x-${i}`)
  assert.equal(find('Host').lower, 'host')
  assert.equal(find('Newcomer'), find('Newcomer'), 'a new name evicts one that is no longer used')
})

test('header names longer than 64 bytes are not cached', () => {
  const names = new HeaderNames((text) => text)
  const longest = put('x'.repeat(64))
  assert.equal(names.at(0, longest), names.at(0, longest))
  const long = put('x'.repeat(65))
  assert.notEqual(names.at(0, long), names.at(0, long))
})
