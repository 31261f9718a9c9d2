import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { long } from '../../long.ts'
import { goodPassword, startTestDaemon, type TestDaemon } from '../../support/daemon.ts'
import { ask } from '../../support/http.ts'
import { byHand } from '../../support/people.ts'
import { openForm, postForm } from '../../support/edge_stage.ts'

const tokenOf = ({ setupLink }: TestDaemon) => new URL(setupLink!).searchParams.get('token')!

const byRpc = async (daemon: TestDaemon, i: number, token: string | undefined) => {
  const params = {
    username: `root${i}`,
    email: `root${i}@example.org`,
    password: goodPassword,
    ...(token !== undefined && { token }),
  }
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'auth.setup', params })
  const answer = await ask(daemon, 'localhost', '/rpc', {
    method: 'POST',
    headers: ['Content-Type', 'application/json'],
    body,
  })
  const { result, error } = JSON.parse(answer.body) as {
    result?: unknown
    error?: { data: { code: string } }
  }
  return result === undefined ? error!.data.code : 'won'
}
const byForm = async (daemon: TestDaemon, i: number, token: string) => {
  const page = `/auth/setup?token=${token}`
  if ((await ask(daemon, 'localhost', page)).status === 410) return 'dead'
  const form = await openForm(daemon, 'localhost', page)
  const fields = {
    form_token: form.token,
    token,
    username: `root${i}`,
    email: `root${i}@example.org`,
    password: goodPassword,
  }
  const answer = await postForm(daemon, 'localhost', '/auth/setup', fields, ['Cookie', form.cookie])
  return answer.status === 303 ? 'won' : String(answer.status)
}
const administrators = async ({ hero }: TestDaemon) =>
  (await hero.users.list({ is_admin: true, limit: 1000 })).items.length

describe('the first administrator (D35)', () => {
  test('exactly one of many concurrent set-ups succeeds, and set-up stays closed, even after a restart', async () => {
    await using daemon = await startTestDaemon()
    const token = tokenOf(daemon)
    assert.match(token, /^[A-Za-z0-9_-]{43}$/)
    const outcomes = await Promise.all(
      Array.from({ length: long ? 50 : 10 }, (_, i) =>
        i % 2 === 0 ? byRpc(daemon, i, token) : byForm(daemon, i, token),
      ),
    )
    assert.equal(outcomes.filter((outcome) => outcome === 'won').length, 1, outcomes.join())
    assert.equal(await administrators(daemon), 1)
    assert.equal(
      (await daemon.hero.users.list({ limit: 1000 })).items.length,
      1,
      'the others left no user behind',
    )
    assert.equal(await byRpc(daemon, 99, token), 'conflict')
    assert.equal(await byForm(daemon, 98, token), 'dead', 'a used link shows no form')

    const again = await daemon.restart()
    try {
      assert.equal(again.setupLink, undefined)
      assert.equal(await byRpc(again, 97, token), 'conflict')
      // Set-up stays closed even when all administrators were removed in the database.
      await byHand(again, async (database) => {
        await database.query.updateTable('users').set({ is_admin: 0, is_active: 0 }).execute()
        database.changed('users')
      })
      assert.equal(await byRpc(again, 96, token), 'conflict')
      const third = await again.restart()
      try {
        assert.equal(third.setupLink, undefined)
        assert.equal(await administrators(third), 0)
      } finally {
        await third.close()
      }
    } finally {
      await again.close()
    }
  })

  test('an invalid, missing, expired or earlier token is refused', async () => {
    await using daemon = await startTestDaemon()
    const token = tokenOf(daemon)
    for (const wrong of [
      undefined,
      '',
      'x',
      token.slice(0, -1),
      `${token}A`,
      token.toLowerCase(),
      token.toUpperCase(),
      ` ${token}`,
      '%',
      "' or 1=1--",
    ]) {
      assert.notEqual(await byRpc(daemon, 1, wrong), 'won', String(wrong))
    }
    assert.equal(await byForm(daemon, 1, 'A'.repeat(43)), 'dead')
    const next = await daemon.restart()
    try {
      assert.notEqual(tokenOf(next), token)
      assert.equal(await byRpc(next, 1, token), 'unauthenticated', 'the link of an earlier start is invalid')
      await byHand(
        next,
        async ({ query }) =>
          void (await query.updateTable('one_time_tokens').set({ expires_at: 1 }).execute()),
      )
      assert.equal(await byRpc(next, 1, tokenOf(next)), 'unauthenticated', 'a link is valid for a day')
      assert.equal(await administrators(next), 0)
    } finally {
      await next.close()
    }
  })

  test('a weak password does not use up the link, and the token is neither logged nor audited', async () => {
    await using daemon = await startTestDaemon()
    const token = tokenOf(daemon)
    const form = await openForm(daemon, 'localhost', `/auth/setup?token=${token}`)
    const fields = {
      form_token: form.token,
      token,
      username: 'root',
      email: 'root@example.org',
      password: 'password',
    }
    assert.equal(
      (await postForm(daemon, 'localhost', '/auth/setup', fields, ['Cookie', form.cookie])).status,
      400,
    )
    assert.equal(await byForm(daemon, 1, token), 'won')
    const { items } = await daemon.hero.audit.list({ limit: 1000 })
    assert.ok(!JSON.stringify(items).includes(token))
    assert.ok(!JSON.stringify(daemon.logged).includes(token))
  })
})
