import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { folded, readings } from '../../src/routes/path_readings.ts'
import { changesMeaning, spellsReserved } from '../../src/routes/reserved_paths.ts'

const largest = 128 * 1024
const long = (piece: string, length: number) => `/${piece.repeat(Math.floor((length - 1) / piece.length))}`
const charactersOf = (path: string): number =>
  readings(path)!
    .decodings.values()
    .reduce((sum, text) => sum + text.length, 0)

/** Each piece uncovers others when it is decoded, folded, or loses its parameters or control characters. */
const odd =
  '9b85643b%ef%bc%85ef5cbc099b5c3b%250964bc%25%09ef9b85%3b\\/093b25ef855c5c3b;%c0%af\\/9b2585%253b\\'

describe('the readings of a path', () => {
  test('ordinary paths are read up to the largest head, with few texts for each', () => {
    for (const piece of [
      'abc/DEF-ghi/',
      '%C3%A9',
      '%E4%BD%A0%E5%A5%BD/',
      'a;b=c/',
      'a%20b/',
      '%2520b/',
      'https%3A%2F%2Fa/',
    ]) {
      const path = long(piece, largest)
      assert.ok(charactersOf(path) <= 3 * path.length, piece)
    }
    assert.ok(readings(`/desk/${odd.slice(0, 80)}`), 'a short path may be as odd as it likes')
  })

  test('an odd long path is not read, and counts as one of ours', () => {
    for (const [piece, length] of [
      [odd, 1500],
      [odd, largest],
      ['%ef%bc%8564%09;a%5cb/%c0%af', 16_000],
      [';\\%09%ef%bc%85%25%32%35%33%62/', 16_000],
    ] as const) {
      const path = long(piece, length)
      assert.equal(readings(path), undefined, piece)
      assert.ok(spellsReserved(`/%41${path}`) && changesMeaning(path), piece)
    }
  })

  test('a run of combining marks is cut before it is sorted', () => {
    const marks = `%CC%81`.repeat(5000) + '%CC%A3'.repeat(5000)
    const texts = [...readings(`/a${marks}/desk`)!.paths]
    assert.ok(texts.some((text) => text.endsWith('/desk') && text.length < 60))
    assert.equal(folded('e\u0301'.repeat(100)), 'é'.repeat(100))
  })

  test('lookalikes are read beside characters that are no bytes', () => {
    assert.equal(folded('/\u4f60\u00ef\u00bc\u008fdesk'), '/你/desk')
    // The full-width percent signs become escapes, which stand for a full-width slash.
    const path = '/%e4%bd%a0%ef%bc%85ef%ef%bc%85bc%ef%bc%858fdesk'
    assert.ok(readings(path)!.paths.has('/你/desk'))
  })

  test('overlong slashes of two, three and four bytes are slashes', () => {
    for (const slash of ['%c0%af', '%e0%80%af', '%f0%80%80%af', '%C1%9C'])
      assert.ok(readings(`/x${slash}desk`)!.paths.has('/x/desk'), slash)
  })
})
