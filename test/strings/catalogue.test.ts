import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { html } from '../../src/html/html.ts'
import { errorTable } from '../../src/contract/errors.ts'
import { revocationReasons } from '../../src/contract/reactions.ts'
import type { Catalogue, ProblemName } from '../../src/strings/catalogue.ts'
import { english } from '../../src/strings/en/english.ts'
import { catalogueOf, languages } from '../../src/strings/language.ts'
import { problemWords } from '../../src/strings/refusal_words.ts'
import { Sentence } from '../../src/strings/sentence.ts'
import { pseudoLanguage } from './pseudo_language.ts'

const catalogues: readonly Catalogue[] = await Promise.all(languages.map(catalogueOf))

/** Every entry of a catalogue with its path: `sign_in.page.title`. */
const entries = (part: object, path = ''): (readonly [string, unknown])[] =>
  Object.entries(part).flatMap(([name, value]) => {
    const at = path === '' ? name : `${path}.${name}`
    return typeof value === 'object' && value !== null && !(value instanceof Sentence)
      ? entries(value as object, at)
      : [[at, value] as const]
  })

const kindOf = (entry: unknown) => (entry instanceof Sentence ? 'sentence' : typeof entry)

const hostile = '<img src=x onerror=alert(1)>'
const numbers = /^(at|created_at|last_used_at|expires_at|until|count|seconds|status|retry_after|most|least)$/
/** Values for any entry: markup for names, and the few values that are not names. */
const values: Readonly<Record<string, unknown>> = new Proxy(
  {},
  {
    get: (_, name) => {
      if (numbers.test(String(name))) return 5
      if (['scopes', 'claims', 'proofs', 'hosts'].includes(String(name))) return [hostile, hostile]
      if (name === 'impersonating') return false
      if (name === 'fault') return 'missing'
      if (name === 'proof') return 'second'
      return hostile
    },
  },
)

/** An entry as text, in the form it has on a page. */
const shown = (entry: unknown, path = ''): string => {
  if (typeof entry === 'function')
    return shown(entry(path.endsWith('email_not_allowed') ? { email: 'none', signed_in: true } : values))
  if (typeof entry === 'string' || entry instanceof Sentence) return html`${entry}`.text
  return Object.values(entry as object)
    .map((part) => shown(part))
    .join('\n')
}

const source = globSync('src/**/*.ts').map((file) => [file, readFileSync(file, 'utf8')] as const)

test('every language has the same entries of the same kinds', () => {
  const wanted = entries(english).map(([path, entry]) => [path, kindOf(entry)])
  assert.ok(wanted.length > 300)
  for (const catalogue of catalogues) {
    const found = entries(catalogue).map(([path, entry]) => [path, kindOf(entry)])
    assert.deepEqual(found.toSorted(), wanted.toSorted(), catalogue.lang)
    assert.equal(catalogue.lang, languages[catalogues.indexOf(catalogue)])
  }
})

test('no entry is empty or left in English', () => {
  // Words that are the same in other languages.
  const alike =
    /^(dir|.*\.(code|new_password_hint|totp\.code|device\.code|passkeys\.(heading|first_name|name)|profile\.name|sessions\.(ways\.passkey|details|heading)|applications\.heading|pages\.(passkeys|sessions|applications)|factors\.heading|scope_list|mails\.lasts|lasts|dates|last_used|display_name))$/
  for (const catalogue of catalogues.slice(1)) {
    const theirs = new Map(entries(catalogue))
    for (const [path, entry] of entries(english)) {
      const [text, other] = [shown(entry, path), shown(theirs.get(path), path)]
      assert.equal(other === '', text === '', `${catalogue.lang}: ${path}`)
      if (text !== '' && !alike.test(path)) assert.notEqual(other, text, `${catalogue.lang}: ${path}`)
    }
  }
})

test('values in an entry are escaped on a page, in every language', () => {
  for (const catalogue of [...catalogues, pseudoLanguage]) {
    for (const [path, entry] of entries(catalogue)) {
      const text = shown(entry, path)
      assert.ok(!text.includes('<img'), `${catalogue.lang}: ${path}: ${text}`)
      assert.doesNotMatch(text, /undefined|NaN|\[object/, `${catalogue.lang}: ${path}`)
    }
  }
})

test('French has no plain space before high punctuation or inside guillemets', () => {
  const french = catalogues[languages.indexOf('fr')]!
  const plain = / [?!;:»]|« |\p{L}[?!](?=$|\s)/mu
  for (const text of ['Quoi ?', 'Non !', 'un ; deux', 'Nom : Ada', '« Ada »', 'Quoi?'])
    assert.match(text, plain, text)
  assert.doesNotMatch('Quoi\u202f? Nom\u00a0: «\u00a0Ada\u00a0», /login?next=/', plain)
  // Values stand for names, which may hold anything.
  const text = (entry: unknown, path: string) => shown(entry, path).replaceAll(/&\w+;|&#39;/g, '')
  for (const [path, entry] of entries(french)) assert.doesNotMatch(text(entry, path), plain, path)
})

test('every code and reason of a refusal has a text, and no text is unused', () => {
  const reasons = new Set(
    source
      // The reasons of an ended session and of a broken audit chain are results, not refusals.
      .filter(([file]) => !/^src\/(audit|strings)\//.test(file))
      .flatMap(([, text]) => [...text.matchAll(/reason: '(\w+)'/g)].map(([, reason]) => reason!))
      .filter((reason) => !(revocationReasons as readonly string[]).includes(reason)),
  )
  assert.ok(reasons.size > 50)
  for (const { lang, refusals } of catalogues) {
    for (const code of Object.keys(errorTable)) assert.ok(code in refusals.problems, `${lang}: ${code}`)
    for (const reason of reasons)
      assert.ok(reason in refusals.problems || reason in refusals.notices, `${lang}: ${reason}`)
  }
  const named = source
    .filter(([file]) => !file.startsWith('src/strings/'))
    .map(([, text]) => text)
    .join()
  for (const name of [...Object.keys(english.refusals.problems), ...Object.keys(english.refusals.notices)])
    assert.ok(name in errorTable || named.includes(`'${name}'`), `nothing is refused for ${name}`)
})

test('the text of a reason takes precedence over that of its code', () => {
  const words = (reason?: ProblemName) => problemWords(english, { code: 'unauthenticated', reason })
  assert.equal(words(), english.refusals.problems.unauthenticated)
  assert.equal(words('wrong_code'), english.refusals.problems.wrong_code)
})

test('pages print no message of an error', () => {
  const pages = source.filter(([file]) => /^src\/(pages|html)\//.test(file))
  assert.ok(pages.length > 20)
  // The back-channel response to a provider is not a page.
  const printed = pages.filter(([, text]) =>
    text.replace('error_description: error.message', '').includes('error.message'),
  )
  assert.deepEqual(
    printed.map(([file]) => file),
    [],
  )
})

test('counts use the plural forms of each language', () => {
  const left = catalogues.map(({ account }) =>
    [0, 1, 2].map((count) => account.factors.codes_left({ count })),
  )
  assert.deepEqual(left, [
    ['You have 0 recovery codes left.', 'You have 1 recovery code left.', 'You have 2 recovery codes left.'],
    [
      'Sie haben noch 0 Wiederherstellungscodes.',
      'Sie haben noch 1 Wiederherstellungscode.',
      'Sie haben noch 2 Wiederherstellungscodes.',
    ],
    [
      'Il vous reste 0 code de secours.',
      'Il vous reste 1 code de secours.',
      'Il vous reste 2 codes de secours.',
    ],
  ])
})

test('times, lists and durations are formatted for each language', () => {
  const seen = catalogues.map(({ account, openid, mails }) => [
    account.applications.since({ at: 1_795_000_000 }),
    openid.scope_list({ scopes: ['a', 'b', 'c'] }),
    // French has no-break spaces there.
    ...[900, 3600, 86_400, 604_800].map((seconds) => mails.lasts({ seconds }).replace('\u00a0', ' ')),
  ])
  assert.deepEqual(seen, [
    ['Since Nov 18, 2026, 11:06 UTC', 'a, b, and c', '15 minutes', '60 minutes', '24 hours', '7 days'],
    ['Seit 18. Nov. 2026, 11:06 UTC', 'a, b und c', '15 Minuten', '60 Minuten', '24 Stunden', '7 Tage'],
    ['Depuis le 18 nov. 2026, 11:06 UTC', 'a, b et c', '15 minutes', '60 minutes', '24 heures', '7 jours'],
  ])
})

test('the pseudo language is 40 % longer and right-to-left', () => {
  assert.equal(pseudoLanguage.dir, 'rtl')
  const [text, longer] = [english.sign_in.verify.lead, pseudoLanguage.sign_in.verify.lead]
  assert.ok(longer.length >= text.length * 1.4 && longer.length < text.length * 1.5)
})
