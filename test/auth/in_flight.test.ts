import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { onSqliteFirst } from '../support/databases.ts'
import { goodPassword, startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { person } from '../support/people.ts'

onSqliteFirst('pending calls of a caller who loses the right', (newUrl) => {
  let daemon: TestDaemon
  beforeEach(async () => {
    daemon = await startTestDaemon({ database_url: newUrl() })
    await person(daemon, 'root', { is_admin: true })
  })
  afterEach(() => daemon.close())

  const ends: Record<string, () => Promise<unknown>> = {
    'is demoted': () => daemon.hero.users.update({ username: 'eve', is_admin: false }),
    'is signed out': () => daemon.hero.sessions.revoke_all({ user: 'eve' }),
    'is deactivated': () => daemon.hero.users.update({ username: 'eve', is_active: false }),
    'is removed': () => daemon.hero.users.remove({ username: 'eve' }),
  }

  for (const [how, end] of Object.entries(ends)) {
    test(`they change nothing after she ${how}`, async () => {
      const eve = await person(daemon, 'eve', { is_admin: true })
      await eve.auth.me()
      // Hashing is slow and limited in parallel, and the rights are checked before it.
      const names = Array.from({ length: 12 }, (_, i) => `person${i}`)
      const slow = names.map((username) =>
        eve.users.add({ username, password: goodPassword, is_admin: true }),
      )
      const done = Promise.allSettled(slow)
      await end()
      const before = (await daemon.hero.users.list({})).items.map(({ username }) => username)
      const settled = await done
      const refused = names.filter((_, i) => settled[i]!.status === 'rejected')
      assert.ok(refused.length > 0, 'all passwords were hashed before she lost the right')
      for (const name of names) assert.equal(before.includes(name), !refused.includes(name), name)
      assert.deepEqual(
        (await daemon.hero.users.list({})).items.map(({ username }) => username),
        before,
      )
      const { items } = await daemon.hero.audit.list({ method: 'users.add', actor: 'eve', limit: 50 })
      const outcomes = items.filter(({ outcome }) => outcome !== 'ok').map(({ outcome }) => outcome)
      assert.ok(outcomes.every((outcome) => outcome === 'claim_required' || outcome === 'unauthenticated'))
      assert.equal(outcomes.length, refused.length)
    })
  }
})
