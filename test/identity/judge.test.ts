import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { Place } from '../../src/contract/place.ts'
import type { Principal } from '../../src/contract/principal.ts'
import { Judge, type Lack } from '../../src/identity/judge.ts'
import type { Person, SeenPeople } from '../../src/identity/seen_person.ts'

const open: Place = {
  service: null,
  guests: false,
  required_claims: [],
  allowed_emails: [],
  proof: 'any',
  proof_age: null,
}
const ada: Person = {
  proof: { by: 'session', id: 's' },
  username: 'ada',
  context: 1,
  email: 'ada@example.org',
  email_verified: true,
  claims: ['engineers.tickets.read'],
  impersonator: undefined,
  asked: 'any',
  withheld: undefined,
  until: Infinity,
}
const principal = { username: 'ada' } as Principal
const judgeOf = (person: Person | undefined) => new Judge({ find: () => person } as unknown as SeenPeople)

const known = { principal, staticToken: false }
const program = { principal: undefined, staticToken: true }
const guest = { principal: undefined, staticToken: false }

const bosses = { required_claims: ['bosses.*'] }
const example = { allowed_emails: ['*@example.org'] }
const cases: readonly [string, typeof known | typeof program, Partial<Place>, Person | undefined, Lack?][] = [
  ['a person enters', known, {}, ada],
  ['a person with the claim enters', known, { required_claims: ['engineers.*'] }, ada],
  ['a person without the claim', known, bosses, ada, 'claims'],
  [
    'a person without claim and address is told of the claim',
    known,
    { ...bosses, allowed_emails: ['x@y.example'] },
    ada,
    'claims',
  ],
  ['a verified address', known, example, ada],
  ['an address that nobody verified', known, example, { ...ada, email_verified: false }, 'email'],
  ['a person without an address', known, example, { ...ada, email: null }, 'email'],
  ['an account that is gone', known, { guests: true }, undefined, 'account'],
  ['a guest where guests may enter', guest, { guests: true }, undefined],
  ['a guest where they may not', guest, {}, undefined, 'sign_in'],
  [
    'a guest where guests may enter, but with a claim',
    guest,
    { guests: true, ...bosses },
    undefined,
    'sign_in',
  ],
  [
    'a guest where guests may enter, but with an address',
    guest,
    { guests: true, ...example },
    undefined,
    'sign_in',
  ],
  ['a static token', program, {}, undefined],
  ['a static token where a claim is asked for', program, bosses, undefined, 'name'],
  ['a static token where an address is asked for', program, example, undefined, 'name'],
]

for (const [what, entrant, place, person, lack] of cases) {
  test(`${what}: ${lack ?? 'enters'}`, async () => {
    const verdict = await judgeOf(person).enter(entrant, { ...open, ...place })
    assert.equal(verdict.lack, lack)
    assert.equal(verdict.person, entrant.principal ? person : undefined)
  })
}

test('only the judge decides by claims and addresses', () => {
  const deciding = globSync('src/**/*.ts').filter((path) =>
    /\b(?:allowsEmail|satisfiesRule)\(/.test(readFileSync(path, 'utf8')),
  )
  // The other two say what a group that somebody may ask for would open.
  assert.deepEqual(deciding.toSorted(), [
    'src/app/ask_group_faults.ts',
    'src/asking/places.ts',
    'src/identity/judge.ts',
  ])
})
