import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import * as fc from 'fast-check'
import { isGrantable } from '../../src/claims/rule.ts'
import { startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { allRefused, refused } from '../support/refused.ts'

const alphanumeric = new Set('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789')

/** The documented grammar, without a regular expression. */
const documented = (claim: string): boolean => {
  const segments = claim.split('.')
  const sound = segments.every(
    (segment) =>
      segment.length >= 1 &&
      segment.length <= 63 &&
      alphanumeric.has(segment[0]!) &&
      [...segment].every((c) => alphanumeric.has(c) || c === '_' || c === '-'),
  )
  const first = segments[0]!.toLowerCase()
  const reserved =
    (segments.length === 1 && first === 'admin') || ['users', 'groups', 'proxy'].includes(first)
  return sound && segments.length <= 8 && claim.length <= 255 && !reserved
}

const character = fc.constantFrom(...'ab9Z_-.', ',', '\n', '\r', '\0', '*', ' ', 'ä', ';', '\u200b')
const segment = fc.oneof(
  fc.stringMatching(/^[a-zA-Z0-9][a-zA-Z0-9_-]{0,8}$/),
  fc.stringMatching(/^[a-zA-Z0-9][a-zA-Z0-9_-]{60,64}$/),
  fc.constantFrom(
    'admin',
    'Admin',
    'users',
    'USERS',
    'groups',
    'gRoups',
    'proxy',
    'Proxy',
    'adminx',
    'xusers',
  ),
  fc.string({ unit: character, maxLength: 4 }),
)
const claims = fc.oneof(
  fc.array(segment, { minLength: 1, maxLength: 9 }).map((segments) => segments.join('.')),
  fc.string({ unit: character, maxLength: 12 }),
  fc.string(),
)

let daemon: TestDaemon
before(async () => {
  daemon = await startTestDaemon()
  await daemon.hero.groups.add({ slug: 'team' })
  await daemon.hero.roles.add({ name: 'editor' })
})
after(() => daemon.close())

test('10,000 strings: a claim is grantable exactly if the documentation allows it', () => {
  let sound = 0
  fc.assert(
    fc.property(claims, (claim) => {
      if (documented(claim)) sound++
      assert.equal(isGrantable(claim), documented(claim), JSON.stringify(claim))
    }),
    { numRuns: 10_000 },
  )
  assert.ok(sound > 1000, `too few of the strings are valid: ${sound}`)
})

test('500 strings: both methods that grant claims accept exactly those', async () => {
  const { hero } = daemon
  for (const claim of new Set(fc.sample(claims, 500))) {
    const given = [
      hero.roles.add_claim({ role: 'editor', claim }),
      hero.groups.add_claim({ group: 'team', claim }),
    ]
    if (!documented(claim)) await allRefused(given, 'invalid_params', 'claim')
    else
      for (const { claims } of await Promise.all(given))
        assert.ok(claims.some((grant) => grant.claim === claim))
  }
})

test('reserved claims are refused in any case, and similar ones are accepted', async () => {
  const { hero } = daemon
  const reserved = [
    'admin',
    'users',
    'users.ada',
    'groups',
    'groups.team.x',
    'proxy',
    'proxy.admin',
    'proxy.x',
  ]
  const spelled = reserved.flatMap((claim) => [
    claim,
    claim.toUpperCase(),
    claim[0]!.toUpperCase() + claim.slice(1),
    [...claim].map((c, i) => (i % 2 ? c.toUpperCase() : c)).join(''),
  ])
  for (const claim of spelled) {
    await refused(hero.roles.add_claim({ role: 'editor', claim }), 'invalid_params', 'claim')
    await refused(hero.groups.add_claim({ group: 'team', claim }), 'invalid_params', 'claim')
  }
  for (const claim of ['admin.x', 'administrator', 'usersx.ada', 'my.users.ada', 'proxying'])
    await hero.roles.add_claim({ role: 'editor', claim })
})

test('the limits: 63 characters in a segment, 8 segments, 255 characters', async () => {
  const { hero } = daemon
  const give = (claim: string) => hero.roles.add_claim({ role: 'editor', claim })
  await give('s'.repeat(63))
  await refused(give('s'.repeat(64)), 'invalid_params', 'claim')
  await give('a.b.c.d.e.f.g.h')
  await refused(give('a.b.c.d.e.f.g.h.i'), 'invalid_params', 'claim')
  const long = [1, 2, 3, 4].map((n) => String(n).repeat(63)).join('.')
  assert.equal(long.length, 255)
  await give(long)
  await refused(give(`${long}.5`), 'invalid_params', 'claim')
})
