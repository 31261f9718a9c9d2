import assert from 'node:assert/strict'
import { availableParallelism } from 'node:os'
import { test } from 'node:test'
import { HashQueue } from '../../src/passwords/hash_queue.ts'
import { AppError } from '../../src/contract/errors.ts'
import { goodPassword, startTestDaemon } from '../support/daemon.ts'
import { refused } from '../support/refused.ts'

/** Work that lasts until the test ends it. */
const work = () => {
  let end = () => {}
  let fail = (_: Error) => {}
  const ended = new Promise<void>((resolve, reject) => ([end, fail] = [resolve, reject]))
  const state = { started: false, end, fail }
  return {
    state,
    run: () => {
      state.started = true
      return ended
    },
  }
}
const settle = () => new Promise(setImmediate)

test('the queue runs two, holds three, and refuses the next with retry_after', async () => {
  const queue = new HashQueue(2, 3)
  const tasks = Array.from({ length: 5 }, work)
  const running = tasks.map(({ run }) => queue.run(run))
  await settle()
  assert.deepEqual(
    tasks.map(({ state }) => state.started),
    [true, true, false, false, false],
  )
  const error = await refused(
    queue.run(async () => {}),
    'rate_limited',
  )
  assert.ok(Number(error.data.retry_after) > 0)
  for (const { state } of tasks) {
    state.end()
    await settle()
  }
  await Promise.all(running)
  assert.equal(await queue.run(async () => 7), 7)
})

test('a slot is held until the work ends, even if the caller has left', async () => {
  const queue = new HashQueue(1, 1)
  const [abandoned, next] = [work(), work()]
  // The caller has left: the promise is raced away, while the work continues.
  await Promise.race([queue.run(abandoned.run), settle()])
  const waiting = queue.run(next.run)
  await settle()
  assert.ok(!next.state.started)
  await refused(
    queue.run(async () => {}),
    'rate_limited',
  )
  abandoned.state.end()
  await settle()
  assert.ok(next.state.started)
  next.state.end()
  await waiting
})

test('failed work frees its slot, and work starts in the order of the calls', async () => {
  const queue = new HashQueue(1, 10)
  const order: number[] = []
  const done = await Promise.allSettled(
    Array.from({ length: 10 }, (_, i) =>
      queue.run(async () => {
        order.push(i)
        if (i % 2) throw new AppError('conflict')
      }),
    ),
  )
  assert.deepEqual(order, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  assert.equal(done.filter(({ status }) => status === 'rejected').length, 5)
  assert.equal(await queue.run(async () => 1), 1)
})

test('a burst of sign-ins is bounded, other calls are served, and sign-ins succeed afterwards', async () => {
  await using daemon = await startTestDaemon()
  const { hero } = daemon
  await hero.users.add({ username: 'ada', password: goodPassword })
  // More than can run and wait together on this machine.
  const many = availableParallelism() + 64 + 20
  const burst = Promise.allSettled(
    Array.from({ length: many }, () => hero.auth.login({ login: 'ada', password: goodPassword })),
  )
  assert.equal((await hero.health()).status, 'ok')
  const answers = await burst
  const limited = answers.filter((answer) => answer.status === 'rejected').map(({ reason }) => reason)
  assert.ok(limited.length > 0 && limited.length < many)
  for (const { code, retryAfter } of limited) {
    assert.equal(code, 'rate_limited')
    assert.ok(retryAfter > 0)
  }
  await hero.auth.login({ login: 'ada', password: goodPassword })
})
