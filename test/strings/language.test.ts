import assert from 'node:assert/strict'
import { test } from 'node:test'
import { languageFor } from '../../src/strings/language.ts'

const rows: readonly (readonly [header: string, language: string | undefined])[] = [
  ['', undefined],
  ['de', 'de'],
  ['DE-at', 'de'],
  ['en-US,en;q=0.9', 'en'],
  ['fr-CH, fr;q=0.9, en;q=0.8, de;q=0.7, *;q=0.5', 'fr'],
  ['en;q=0.5, de;q=0.9', 'de'],
  ['en;q=0.5,de ; q=0.5', 'en'],
  ['ja, de;q=0.1', 'de'],
  ['ja', undefined],
  ['*', undefined],
  ['ja, *;q=0.8, de;q=0.1', undefined],
  ['de;q=0', undefined],
  ['de;q=0, fr', 'fr'],
  ['de-AT, de;q=0, fr;q=0.5', 'fr'],
  ['zh-Hant-TW, zh;q=0.9, fr-CA;q=0.3', 'fr'],
  // Invalid entries are ignored and do not affect the others.
  ['de;q=2, fr;q=0.1', 'fr'],
  ['; , ,, de', 'de'],
  ['../../etc/passwd, <script>, fr', 'fr'],
  ['toString, constructor, __proto__', undefined],
  [`${'ja,'.repeat(100_000)}de`, undefined],
  // Looking up a long range subtag by subtag would take quadratic time.
  [`de${'-a'.repeat(7)}`, 'de'],
  [`de${'-a'.repeat(8)}, fr;q=0.1`, 'fr'],
]

for (const [header, language] of rows)
  test(`Accept-Language “${header.slice(0, 60)}” selects ${language ?? 'no supported language'}`, () => {
    assert.equal(languageFor(header), language)
  })
