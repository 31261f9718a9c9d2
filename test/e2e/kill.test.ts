import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import Sqlite from 'better-sqlite3'
import { ConnectionError, HeroError, HeroProxy } from '../../sdk/index.ts'
import { goodPassword } from '../support/daemon.ts'
import { kill, spawnDaemon } from '../support/daemon_process.ts'
import { long } from '../long.ts'

const rounds = long ? 100 : 10

/** What the daemon has acknowledged; none of it may ever be missing. */
interface Acknowledged {
  readonly users: Set<string>
  readonly claims: Set<string>
  readonly removed: Set<string>
  readonly tokens: Set<string>
}

const writeUntilGone = async (hero: HeroProxy, writer: string, done: Acknowledged) => {
  for (let i = 0; ; i++) {
    const name = `${writer}-${i}`
    try {
      await hero.users.add({ username: name })
      done.users.add(name)
      await hero.groups.add_claim({ group: 'all', claim: `kill.${name}` })
      done.claims.add(`kill.${name}`)
      if (i % 5 === 4) {
        // From here on the user may be gone, and must be gone once the removal is acknowledged.
        done.users.delete(name)
        await hero.users.remove({ username: name })
        done.removed.add(name)
      }
      if (i % 7 === 6)
        done.tokens.add((await hero.auth.login({ login: 'ada', password: goodPassword })).access_token)
    } catch (error) {
      if (error instanceof ConnectionError) return
      // Written just before the kill and never acknowledged: it may exist.
      if (!(error instanceof HeroError)) throw error
      // A sign-in killed after it was counted as a failed attempt, and before it was forgiven: ten of those in a minute are too many.
      if (error.code === 'rate_limited') continue
      assert.fail(`${name}: ${error.message}`)
    }
  }
}

const allUsers = async (hero: HeroProxy): Promise<Set<string>> => {
  const names = new Set<string>()
  for (let cursor: string | undefined; ;) {
    const page = await hero.users.list({ limit: 1000, cursor })
    for (const { username } of page.items) names.add(username)
    if (page.next_cursor === null) return names
    cursor = page.next_cursor
  }
}

test(
  `SIGKILL during writes, ${rounds} times, loses no acknowledged write (R1)`,
  { timeout: 900_000 },
  async () => {
    const dir = mkdtempSync(join(tmpdir(), 'hp-kill-'))
    const done: Acknowledged = { users: new Set(), claims: new Set(), removed: new Set(), tokens: new Set() }
    let running: ChildProcess | undefined
    try {
      for (let round = 0; round <= rounds; round++) {
        const { child, socket } = await spawnDaemon(dir)
        running = child
        const hero = new HeroProxy({ socket })
        if (round === 0) {
          await hero.auth.setup({ username: 'ada', email: 'ada@example.org', password: goodPassword })
          await hero.groups.add({ slug: 'all' })
        }
        const users = await allUsers(hero)
        for (const name of done.users) assert.ok(users.has(name), `${name} was acknowledged and is gone`)
        for (const name of done.removed) assert.ok(!users.has(name), `${name} was removed and is back`)
        const claims = new Set((await hero.groups.get({ group: 'all' })).claims.map(({ claim }) => claim))
        for (const claim of done.claims) assert.ok(claims.has(claim), `${claim} was acknowledged and is gone`)
        for (const token of [...done.tokens].slice(-5))
          assert.equal((await hero.as(token).auth.me()).user, 'ada')
        if (round < rounds) {
          const before = done.claims.size
          const writers = [0, 1, 2, 3].map((n) => writeUntilGone(hero, `r${round}w${n}`, done))
          // On a busy machine nothing may be acknowledged for a while.
          while (done.claims.size === before) await new Promise((resolve) => setTimeout(resolve, 5))
          await new Promise((resolve) => setTimeout(resolve, 20 + Math.random() * 130))
          await kill(child, 'SIGKILL')
          await Promise.all(writers)
        }
        hero.close()
        await kill(child, 'SIGTERM')
        running = undefined
      }
      const database = new Sqlite(join(dir, 'data', 'hero_proxy.db'), { readonly: true })
      assert.equal(database.pragma('integrity_check', { simple: true }), 'ok')
      const audited = database
        .prepare("select count(*) from audit where method = 'users.add' and outcome = 'ok'")
        .pluck()
        .get() as number
      assert.ok(audited >= done.users.size + done.removed.size, 'every acknowledged write has an audit entry')
      database.close()
    } finally {
      if (running) await kill(running, 'SIGKILL')
      rmSync(dir, { recursive: true, force: true })
    }
  },
)
