import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { startSmtp, useServer, type TestSmtp } from '../support/smtp.ts'
import { unlessLong } from '../long.ts'

const samples = 400
/** Calls at the same time, so that the test takes seconds. One at a time, without the beat of the dispatcher, the times differ by 5 to 16 %. */
const atOnce = 4
/** Two times of one round may differ by this share. */
const tolerance = 0.03
/** A loaded machine exceeds the tolerance now and then; a real leak exceeds it in every round, in the same direction. */
const maxRounds = 3

const median = (times: readonly number[]): number => times.toSorted((a, b) => a - b)[times.length >> 1]!

describe('how long an answer takes tells nothing about an address', { skip: unlessLong }, () => {
  let daemon: TestDaemon
  let smtp: TestSmtp
  before(async () => {
    smtp = await startSmtp()
    daemon = await startTestDaemon()
    await useServer(daemon, smtp)
    const { settings } = daemon.hero
    await settings.set({ key: 'registration_mode', value: 'open' })
    await settings.set({ key: 'magic_links', value: true })
  })
  after(async () => {
    await smtp[Symbol.asyncDispose]()
    await daemon.close()
  })

  let number = 0
  const calls = {
    'auth.register': (email: string) => daemon.hero.auth.register({ username: `name${++number}`, email }),
    'auth.request_magic_link': (email: string) => daemon.hero.auth.request_magic_link({ email }),
  }

  /** The medians of one round, in milliseconds. Each round has addresses of its own, because the calls make accounts and links. */
  const measure = async (call: (email: string) => Promise<unknown>, round: string) => {
    const times: Record<'known' | 'unknown', number[]> = { known: [], unknown: [] }
    for (let i = 0; i < samples / 2; i++)
      await daemon.hero.users.add({
        username: `known-${round}-${i}`,
        email: `known-${round}-${i}@example.org`,
      })
    // Alternating, so that both meet the same load.
    const waiting = Array.from(
      { length: 2 * samples },
      (_, i) => [i % 2 ? 'known' : 'unknown', i >> 2] as const,
    )
    const work = async () => {
      for (let next = waiting.shift(); next; next = waiting.shift()) {
        const [kind, i] = next
        const began = performance.now()
        await call(`${kind}-${round}-${i}@example.org`)
        times[kind].push(performance.now() - began)
      }
    }
    await Promise.all(Array.from({ length: atOnce }, work))
    assert.equal(times.known.length, samples)
    return { known: median(times.known), unknown: median(times.unknown) }
  }

  for (const [i, [method, call]] of Object.entries(calls).entries())
    test(method, async (t) => {
      const slower = new Set<string>()
      for (let round = 1; round <= maxRounds; round++) {
        const { known, unknown } = await measure(call, `${i}-${round}`)
        t.diagnostic(`round ${round}: ${known} ms if known, ${unknown} ms if not`)
        if (Math.abs(known / unknown - 1) <= tolerance) return
        slower.add(known > unknown ? 'a known address' : 'an unknown address')
        if (slower.size > 1) return
      }
      assert.fail(`${[...slower].join()} takes longer in each of ${maxRounds} rounds`)
    })
})
