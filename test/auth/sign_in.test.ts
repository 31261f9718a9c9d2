import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { SignIn } from '../../src/auth/sign_in.ts'
import { guest } from '../../src/contract/caller.ts'
import { Attempts } from '../../src/attempts/attempts.ts'
import { Passwords } from '../../src/passwords/passwords.ts'
import { createLog } from '../../src/log/log.ts'
import { Sessions } from '../../src/sessions/sessions.ts'
import type { Database } from '../../src/storage/database.ts'
import { ask } from '../support/http.ts'
import { goodPassword, startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { refused } from '../support/refused.ts'
import { noReactions } from '../support/reactions.ts'
import { openDatabase } from '../../src/storage/open_database.ts'

const caller = guest({ via: 'socket' })

// Runs the rooms on the daemon's database step by step, to change things between proof and session.
let daemon: TestDaemon
let database: Database
let credentials: Passwords
let signIn: SignIn
before(async () => {
  daemon = await startTestDaemon()
  await daemon.hero.users.add({ username: 'ada', password: goodPassword })
  database = await openDatabase(daemon.config.database_url, createLog('silent'))
  credentials = new Passwords(database, async () => 8)
  const sessions = new Sessions(database, async () => 3600, noReactions, 'localhost')
  const attempts = new Attempts(database)
  // Nobody here has a second factor.
  const notices = { signedIn: async () => {}, signedInElsewhere: async () => {} }
  const trusted = { admits: async () => false, use: async () => undefined } as never
  const parts = { trusted, database, credentials, sessions, attempts, notices, magicLinks: async () => true }
  signIn = new SignIn({ ...parts, factors: undefined!, links: undefined! })
})
after(async () => {
  await database.close()
  await daemon.close()
})

const prove = () => signIn.verifyPassword('ada', goodPassword, caller)

test('a verified password opens a session: a token for programs, a cookie for our pages', async () => {
  const { access_token, user } = await signIn.openByPassword(await prove(), caller)
  assert.equal(user, 'ada')
  assert.equal((await daemon.hero.as(access_token).auth.me()).user, 'ada')
  const page = await signIn.openByPassword(await prove(), guest({ via: 'browser' }))
  await refused(daemon.hero.as(page.access_token).auth.me(), 'unauthenticated')
})

test('a verified password opens no session once it has changed', async () => {
  const proven = await prove()
  await daemon.hero.auth.set_password({ user: 'ada', password: 'velvet-harbor-93-comet' })
  await refused(signIn.openByPassword(proven, caller), 'unauthenticated')
  // The same holds if the new password equals the old one.
  await daemon.hero.auth.set_password({ user: 'ada', password: goodPassword })
  await refused(signIn.openByPassword(proven, caller), 'unauthenticated')
})

test('a verified password opens no session once the person has a second factor', async () => {
  const proven = await prove()
  const has = (has_factor: 0 | 1) =>
    database.write(() =>
      database.query.updateTable('users').set({ has_factor }).where('username', '=', 'ada').execute(),
    )
  await has(1)
  await refused(signIn.openByPassword(proven, caller), 'unauthenticated')
  await has(0)
  await signIn.openByPassword(proven, caller)
})

test('signing in again in a browser keeps the sign-in, with a new cookie', async () => {
  const browser = guest({ via: 'browser' })
  const me = async ({ access_token }: { access_token: string }) => {
    const headers = ['Cookie', `__Host-hero_proxy_session=${access_token}`]
    return (await ask(daemon, 'localhost', '/auth/me', { headers })).status
  }
  const newest = async () => (await daemon.hero.sessions.list({ user: 'ada', limit: 1 })).items[0]!.id
  const first = await signIn.openByPassword(await prove(), browser)
  const id = await newest()
  const proven = await prove()
  const second = await database.write(() => signIn.openByPassword(proven, { ...browser, replaces: id }))
  assert.equal(await newest(), id)
  assert.deepEqual([await me(first), await me(second)], [401, 200])
})

test('a verified password opens no session once the person is deactivated or removed', async () => {
  const proven = await prove()
  await daemon.hero.users.update({ username: 'ada', is_active: false })
  await refused(signIn.openByPassword(proven, caller), 'unauthenticated')
  await daemon.hero.users.update({ username: 'ada', is_active: true })
  await signIn.openByPassword(proven, caller)
  await daemon.hero.users.remove({ username: 'ada' })
  await refused(signIn.openByPassword(proven, caller), 'unauthenticated')
})
