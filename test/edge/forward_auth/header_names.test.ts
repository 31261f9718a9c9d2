import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { identityHeaderNames } from '../../../src/identity/identity_headers.ts'

const docs = join(import.meta.dirname, '../../../docs')
const read = (path: string) => readFileSync(join(docs, path), 'utf8')
const sorted = (names: readonly string[]) => [...new Set(names.map((name) => name.toLowerCase()))].sort()
const named = (text: string) => sorted(text.match(/X-(Hero|Proxy)-[A-Za-z-]+[A-Za-z]/gi) ?? [])

/** The names in the first column of the table below a heading. */
const tableBelow = (text: string, heading: string) =>
  sorted(
    [...text.slice(text.indexOf(heading)).matchAll(/^\|\s*`(X-(?:Hero|Proxy)-[^`]+)`/gm)].map(
      ([, name]) => name!,
    ),
  )

test('the documentation lists every identity header, and no other', () => {
  const names = sorted(identityHeaderNames)
  assert.deepEqual(tableBelow(read('reference/identity-contract.md'), '## Headers'), names)
  assert.deepEqual(tableBelow(read('reference/routes.md'), '## What a service receives'), names)
})

test('every configuration for a proxy in front that names headers names all of them', () => {
  for (const file of ['Caddyfile', 'haproxy/hero_auth.lua', 'nginx.conf'])
    assert.deepEqual(
      named(read(`forward-auth/${file}`)).filter((name) =>
        identityHeaderNames.some((one) => one.toLowerCase() === name),
      ),
      sorted(identityHeaderNames),
      file,
    )
})
