import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { goodPassword, startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { byHand } from '../support/people.ts'
import { postfixMissing, startPostfix, type TestPostfix } from './postfix.ts'
import { refused } from '../support/refused.ts'
import { linkIn } from '../support/smtp.ts'
import { unlessLong } from '../long.ts'

describe('mail through a real postfix', { skip: postfixMissing() ?? unlessLong }, () => {
  let daemon: TestDaemon
  let postfix: TestPostfix
  const people = ['ada', 'grace', 'joan'] as const
  const addressOf = (username: string) => `${username}@example.org`

  before(async () => {
    postfix = await startPostfix(...people.map(addressOf))
    daemon = await startTestDaemon({ public_url: 'https://door.example.org' })
    await set('smtp_host', 'localhost')
    await set('smtp_port', postfix.port)
    await set('smtp_ca', postfix.cert)
    await set('mail_from', 'door@example.org')
    for (const username of [...people, 'nobody'])
      await daemon.hero.users.add({ username, email: addressOf(username), password: goodPassword })
  })
  after(async () => {
    await daemon?.close()
    await postfix?.[Symbol.asyncDispose]()
  })

  const set = (key: string, value: string | number) => daemon.hero.settings.set({ key, value })
  const ask = (username: string) => daemon.hero.auth.request_password_reset({ email: addressOf(username) })
  /** The entry of mail.list for a user's mail. */
  const waiting = async (username: string) =>
    (await daemon.hero.mail.list({})).items.find(({ address }) => address === addressOf(username))
  /** Makes the next attempt due now. */
  const makeDue = () =>
    byHand(daemon, ({ query }) =>
      query.updateTable('mails').set({ due_at: 0 }).where('state', '=', 'waiting').execute(),
    )
  /** Waits for a result that is not undefined. */
  const until = async <T>(what: string, answer: () => Promise<T | undefined>): Promise<T> => {
    for (let i = 0; i < 800; i++) {
      const found = await answer()
      if (found !== undefined) return found
      await delay(25)
    }
    throw new Error(`${what} did not happen in time\n${postfix.log()}`)
  }
  const failed = (username: string, tries: number) =>
    until(`try ${tries} for ${username}`, async () => {
      const mail = await waiting(username)
      return mail && mail.tries >= tries ? mail : undefined
    })
  const arrived = (username: string) =>
    until(`mail for ${username}`, async () => (await postfix.mails(addressOf(username)))[0])

  test('a test mail arrives unchanged over TLS', async () => {
    assert.deepEqual(await daemon.hero.mail.test({ to: 'ada@example.org' }), { sent: true })
    const mail = await arrived('ada')
    assert.equal(mail.subject, 'Test mail from hero_proxy')
    assert.match(mail.text!, /^Hello ada@example\.org,\n\nThis is the test .*\n\n— hero_proxy\n/)
    assert.deepEqual(mail.from?.value, [{ name: 'hero_proxy', address: 'door@example.org' }])
    assert.match(postfix.log(), /TLS connection established from .*127\.0\.0\.1.*: TLSv1\.3/)
  })

  test('a server with an untrusted certificate or another name gets no mail until that is fixed', async () => {
    await set('smtp_ca', '')
    await ask('grace')
    assert.match((await failed('grace', 1)).last_error, /self-signed certificate/)
    const error = await refused(daemon.hero.mail.test({ to: addressOf('grace') }), 'unavailable')
    assert.match(error.message, /self-signed certificate/)

    await set('smtp_ca', postfix.cert)
    await set('smtp_host', '127.0.0.1')
    await makeDue()
    assert.match((await failed('grace', 2)).last_error, /does not match certificate/)
    assert.deepEqual(await postfix.mails(addressOf('grace')), [])

    await set('smtp_host', 'localhost')
    await makeDue()
    assert.equal((await arrived('grace')).subject, 'Choose a new password for hero_proxy')
  })

  test('a mail requested while postfix is down arrives once, after it is up again', async () => {
    await postfix.stop()
    await ask('joan')
    assert.match((await failed('joan', 1)).last_error, /ECONNREFUSED/)
    await postfix.start()
    await makeDue()
    assert.match(linkIn(await arrived('joan')), /^https:\/\/door\.example\.org\/auth\//)
    await until('an empty queue', async () => ((await waiting('joan')) ? undefined : true))
    assert.equal((await postfix.mails(addressOf('joan'))).length, 1)
  })

  test('delivery to an unknown address is given up after five attempts, and reported', async () => {
    await ask('nobody')
    for (let tries = 1; tries < 5; tries++) {
      assert.equal((await failed('nobody', tries)).gave_up_at, null)
      await makeDue()
    }
    const { gave_up_at, last_error } = await failed('nobody', 5)
    assert.ok(gave_up_at !== null && gave_up_at > 0)
    assert.match(last_error, /550 5\.1\.1 .*User unknown/)
  })
})
