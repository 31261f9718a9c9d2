import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { hash, verify } from '@node-rs/argon2'
import { Passwords } from '../../src/passwords/passwords.ts'
import { createLog } from '../../src/log/log.ts'
import type { Database } from '../../src/storage/database.ts'
import { goodPassword, startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { byHand } from '../support/people.ts'
import { refused } from '../support/refused.ts'
import { openDatabase } from '../../src/storage/open_database.ts'

describe('rules for a new password', () => {
  let daemon: TestDaemon
  before(async () => {
    daemon = await startTestDaemon()
    await daemon.hero.users.add({
      username: 'galadriel',
      email: 'silmarillion@example.org',
      display_name: 'Artanis Nerwen',
    })
  })
  after(() => daemon.close())

  const set = (password: string) => daemon.hero.auth.set_password({ user: 'galadriel', password })

  test('a password has 8 to 256 characters, counted as code points, and at most 1,024 bytes', async () => {
    await refused(set('vK9#qLm'), 'invalid_params', 'password')
    // At eight characters zxcvbn accepts only unusual ones.
    await set('vK9#qLm2x')
    const varied = (length: number) =>
      Array.from({ length }, (_, i) => String.fromCharCode(97 + ((i * 7 + (i >> 2)) % 26))).join('')
    for (const length of [64, 128, 256]) await set(varied(length))
    await refused(set(varied(257)), 'invalid_params', 'password')
    await refused(set('x'.repeat(1025)), 'invalid_params', 'password')
    // Four bytes and two code units each, but still eight characters; 256 of them are 1,024 bytes.
    await set('🦉🌋🎻🧭🪁🛰🧩🦔')
    await refused(set('🦉🌋🎻🧭🪁🛰🧩'), 'invalid_params', 'password')
    await set(
      Array.from({ length: 256 }, (_, i) => String.fromCodePoint(0x1f300 + ((i * 37) % 250))).join(''),
    )
  })

  test('the setting can raise the minimum length but not lower it', async () => {
    const { hero } = daemon
    await hero.settings.set({ key: 'password_min_length', value: 15 })
    await refused(set('vK9#qLm2-x8Tbz'), 'invalid_params', 'password')
    await set('vK9#qLm2-x8Tbzq')
    await refused(hero.settings.set({ key: 'password_min_length', value: 7 }), 'invalid_params', 'value')
    await hero.settings.set({ key: 'password_min_length', value: 8 })
  })

  test('a password that is easy to guess is refused', async () => {
    for (const password of [
      'password',
      'Password1!',
      'P@ssw0rd',
      'qwertyuiop',
      '1234567890',
      'iloveyou2',
      'aaaaaaaaaaaaaaaa',
      'abcdefghijkl',
      'letmein123',
      '19871987',
      'correcthorse',
    ])
      await refused(set(password), 'invalid_params', 'password')
  })

  test("a password made of the user's own names is refused", async () => {
    for (const password of [
      'galadriel',
      'Galadriel',
      'galadriel galadriel',
      'galadriel1955',
      'silmarillion',
      'silmarillion@example.org',
      'Artanis Nerwen',
      'artanisnerwen!',
      'nerwen-galadriel',
    ])
      await refused(set(password), 'invalid_params', 'password')
    await set('galadriel mosaic lantern 42 orbit')
  })

  test('no mix of character classes is required', async () => {
    await set('mosaiclanternorbitvelvet')
    await set('49 20 77 61 73 68 65 72')
  })
})

describe('the stored hash of a password', () => {
  let database: Database
  let credentials: Passwords
  const dir = mkdtempSync(join(tmpdir(), 'hp-'))
  before(async () => {
    database = await openDatabase(`sqlite:${join(dir, 'x.db')}`, createLog('silent'))
    credentials = new Passwords(database, async () => 8)
  })
  after(async () => {
    await database.close()
    rmSync(dir, { recursive: true })
  })

  test('is an Argon2id hash of the specified cost, with its own salt', async () => {
    const [one, other] = [await credentials.hash(goodPassword, []), await credentials.hash(goodPassword, [])]
    assert.match(one, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/)
    assert.notEqual(one, other)
  })

  test('depends on every character, up to the last of 256', async () => {
    for (const length of [12, 72, 73, 128, 256]) {
      const password = Array.from({ length }, (_, i) => String.fromCharCode(33 + ((i * 31) % 90))).join('')
      const hashed = await credentials.hash(password, [])
      assert.ok(await verify(hashed, password))
      assert.ok(!(await verify(hashed, `${password.slice(0, -1)}~`)))
      assert.ok(!(await verify(hashed, password.slice(0, -1))))
    }
  })
})

describe('verification of a password', () => {
  let daemon: TestDaemon
  before(async () => {
    daemon = await startTestDaemon()
    await daemon.hero.users.add({ username: 'ada', password: goodPassword })
  })
  after(() => daemon.close())

  const login = (password: string) => daemon.hero.auth.login({ login: 'ada', password })
  const stored = () =>
    byHand(
      daemon,
      async ({ query }) =>
        (await query.selectFrom('credentials').select('hash').executeTakeFirstOrThrow()).hash,
    )
  const store = (hashed: string) =>
    byHand(daemon, ({ query }) => query.updateTable('credentials').set({ hash: hashed }).execute())

  test('accepts the same characters in any Unicode normalization form', async () => {
    const composed = 'Zürcher Käsefondue ﬁne Å 2⁵'
    await daemon.hero.auth.set_password({ user: 'ada', password: composed.normalize('NFC') })
    for (const form of ['NFC', 'NFD', 'NFKC', 'NFKD']) await login(composed.normalize(form))
    await refused(login(composed.toLowerCase()), 'unauthenticated')
    await refused(login(` ${composed}`), 'unauthenticated')
    await daemon.hero.auth.set_password({ user: 'ada', password: goodPassword })
  })

  test('compares the whole password: neither a prefix nor a longer text is accepted', async () => {
    await refused(login(goodPassword.slice(0, -1)), 'unauthenticated')
    await refused(login(`${goodPassword}x`), 'unauthenticated')
    await refused(login(`${goodPassword}\0`), 'unauthenticated')
    await refused(login(goodPassword.padEnd(1024)), 'unauthenticated')
    await refused(login('ä'.repeat(1000)), 'unauthenticated')
    await refused(login('x'.repeat(1025)), 'invalid_params', 'password')
  })

  test('replaces a hash with older parameters at sign-in, and only with the right password', async () => {
    const older = await hash(goodPassword, { memoryCost: 8192, timeCost: 1, parallelism: 1 })
    await store(older)
    await refused(login('wrong'), 'unauthenticated')
    assert.equal(await stored(), older)
    await login(goodPassword)
    const newer = await stored()
    assert.match(newer, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
    await login(goodPassword)
    assert.equal(await stored(), newer)
  })

  test('accepts concurrent sign-ins over one old hash', async () => {
    await store(await hash(goodPassword, { memoryCost: 8192, timeCost: 1, parallelism: 1 }))
    await Promise.all(Array.from({ length: 8 }, () => login(goodPassword)))
    await login(goodPassword)
  })

  test('keeps a stronger hash', async () => {
    const stronger = await hash(goodPassword, { memoryCost: 32768, timeCost: 3, parallelism: 1 })
    await store(stronger)
    await login(goodPassword)
    assert.equal(await stored(), stronger)
  })

  test('accepts no password for a stored hash that is invalid, foreign or too costly', async () => {
    const good = await hash(goodPassword, { memoryCost: 19456, timeCost: 2, parallelism: 1 })
    for (const hashed of [
      good.replace('m=19456', 'm=4194304'),
      good.replace('m=19456', 'm=99999999999'),
      good.replace('t=2', 't=4000000'),
      good.replace('p=1', 'p=255'),
      good.replace('argon2id', 'argon2i'),
      good.replace('v=19', 'v=16'),
      good.slice(0, -2),
      goodPassword,
      '',
    ]) {
      await store(hashed)
      await refused(login(goodPassword), 'unauthenticated')
    }
    await store(good)
    await login(goodPassword)
  })
})
