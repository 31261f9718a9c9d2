import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { startSmtp, useServer, type TestSmtp } from '../support/smtp.ts'

const samples = 400
/** Calls at the same time, so that the test takes seconds. One at a time, without the beat of the dispatcher, the times differ by 5 to 16 %. */
const atOnce = 4
/** Two times of one run may differ by this share. */
const tolerance = 0.03

const median = (times: readonly number[]): number => times.toSorted((a, b) => a - b)[times.length >> 1]!

describe('how long an answer takes tells nothing about an address', () => {
  let daemon: TestDaemon
  let smtp: TestSmtp
  before(async () => {
    smtp = await startSmtp()
    daemon = await startTestDaemon()
    await useServer(daemon, smtp)
    const { settings, users } = daemon.hero
    await settings.set({ key: 'registration_mode', value: 'open' })
    await settings.set({ key: 'magic_links', value: true })
    for (let i = 0; i < samples / 2; i++)
      await users.add({ username: `known${i}`, email: `known${i}@example.org` })
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
  for (const [method, call] of Object.entries(calls))
    test(method, async () => {
      const times: Record<'known' | 'unknown', number[]> = { known: [], unknown: [] }
      // Alternating, so that both meet the same load.
      const waiting = Array.from(
        { length: 2 * samples },
        (_, i) => [i % 2 ? 'known' : 'unknown', i >> 2] as const,
      )
      const work = async () => {
        for (let next = waiting.shift(); next; next = waiting.shift()) {
          const [kind, i] = next
          const began = performance.now()
          await call(`${kind}${i}@example.org`)
          times[kind].push(performance.now() - began)
        }
      }
      await Promise.all(Array.from({ length: atOnce }, work))
      const [known, unknown] = [median(times.known), median(times.unknown)]
      assert.equal(times.known.length, samples)
      assert.ok(Math.abs(known / unknown - 1) <= tolerance, `${known} ms if known, ${unknown} ms if not`)
    })
})
