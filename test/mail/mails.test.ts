import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { createLog } from '../../src/log/log.ts'
import { Mails } from '../../src/mail/mails.ts'
import { render } from '../../src/mail/render.ts'
import type { Database } from '../../src/storage/database.ts'
import { Seal } from '../../src/secrets/seal.ts'
import type { MailKind } from '../../src/strings/catalogue.ts'
import { catalogueOf, languages } from '../../src/strings/language.ts'
import { onSqliteFirst } from '../support/databases.ts'
import { startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { byHand } from '../support/people.ts'
import { refused } from '../support/refused.ts'
import { startSmtp, useServer, type TestSmtp } from '../support/smtp.ts'
import { openDatabase } from '../../src/storage/open_database.ts'

describe('mail.test reports the response of the mail server', () => {
  let daemon: TestDaemon
  let smtp: TestSmtp
  before(async () => {
    daemon = await startTestDaemon()
    smtp = await startSmtp()
  })
  after(async () => {
    await smtp[Symbol.asyncDispose]()
    await daemon.close()
  })

  test('without a mail server the mail is only logged, with a warning', async () => {
    assert.deepEqual(await daemon.hero.mail.test({ to: 'ada@example.org' }), { sent: false })
    const line = daemon.logged.find(({ msg }) => /was NOT sent/.test(String(msg)))
    assert.equal(line?.to, 'ada@example.org')
  })

  test('a mail arrives over STARTTLS with authentication', async () => {
    await useServer(daemon, smtp)
    await daemon.hero.settings.set({ key: 'smtp_user', value: 'door' })
    const set = await daemon.hero.settings.set({ key: 'smtp_password', value: 'opens' })
    assert.equal(set.value, 'set')
    assert.deepEqual(await daemon.hero.mail.test({ to: 'ada@example.org' }), { sent: true })
    const { from, to, secure, mail } = smtp.arrived.at(-1)!
    assert.deepEqual(
      { from, to, secure },
      { from: 'door@example.org', to: ['ada@example.org'], secure: true },
    )
    assert.equal(mail.from?.value[0]?.name, 'hero_proxy')
    assert.equal(mail.headers.get('auto-submitted'), 'auto-generated')
    assert.ok(mail.text!.includes('test') && String(mail.html).includes('test'))
  })

  test('a wrong password, an untrusted certificate and an unreachable server are reported', async () => {
    const said = async () =>
      (await refused(daemon.hero.mail.test({ to: 'ada@example.org' }), 'unavailable')).message
    await daemon.hero.settings.set({ key: 'smtp_password', value: 'wrong' })
    assert.match(await said(), /could not be sent/)
    await daemon.hero.settings.set({ key: 'smtp_password', value: 'opens' })
    await daemon.hero.settings.set({ key: 'smtp_ca', value: '' })
    assert.match(await said(), /certificate/i)
    await daemon.hero.settings.set({ key: 'smtp_ca', value: smtp.ca })
    await daemon.hero.settings.set({ key: 'smtp_port', value: 1 })
    assert.match(await said(), /ECONNREFUSED/)
    await daemon.hero.settings.set({ key: 'smtp_port', value: smtp.port })
  })

  test('a server without STARTTLS receives no mail', async () => {
    await using plain = await startSmtp({ disabledCommands: ['STARTTLS'] })
    await daemon.hero.settings.set({ key: 'smtp_port', value: plain.port })
    await refused(daemon.hero.mail.test({ to: 'ada@example.org' }), 'unavailable')
    assert.equal(plain.arrived.length, 0)
    await daemon.hero.settings.set({ key: 'smtp_port', value: smtp.port })
  })

  test('the SMTP password is in no result and not in plain text in the database', async () => {
    const { items } = await daemon.hero.settings.list()
    assert.ok(!JSON.stringify(items).includes('opens'))
    await byHand(daemon, async ({ query }) => {
      const rows = await query.selectFrom('settings').selectAll().execute()
      assert.ok(rows.some(({ key }) => key === 'smtp_password'))
      assert.ok(!JSON.stringify(rows).includes('opens'))
    })
  })
})

onSqliteFirst('the mail queue', (newUrl) => {
  let url: string
  let smtp: TestSmtp
  before(async () => {
    url = newUrl()
    smtp = await startSmtp()
  })
  after(() => smtp[Symbol.asyncDispose]())
  const log = createLog('silent')
  const seal = new Seal('a secret of the test')

  /** A queue on the database, as one process runs it. */
  const queue = async (work: (mails: Mails, database: Database) => Promise<void>) => {
    const database = await openDatabase(url, log)
    const server = {
      host: 'localhost',
      port: smtp.port,
      tls: 'starttls',
      user: '',
      password: '',
      ca: smtp.ca,
      from: 'door@example.org',
      site: 'Desk',
      language: 'en',
    } as const
    const mails = new Mails(
      database,
      seal,
      async () => server,
      log,
      async () => {},
    )
    try {
      await work(mails, database)
    } finally {
      await mails.close()
      await database.query.deleteFrom('mails').execute()
      await database.close()
    }
  }
  const link = 'http://localhost:9997/auth/reset#secret-token'
  const values = { name: 'Ada', link, lifetime: 3600 }

  test('a mail is stored sealed until it is sent, with the text of its kind', async () => {
    await queue(async (mails, { query }) => {
      await mails.send('reset', 'Ada@example.org', values)
      {
        const rows = await query.selectFrom('mails').selectAll().execute()
        assert.equal(rows.length, 1)
        assert.ok(!JSON.stringify(rows).includes('secret-token'))
      }
      mails.start()
      const mail = await smtp.mailTo('Ada@example.org')
      assert.equal(mail.subject, 'Choose a new password for Desk')
      assert.ok(mail.text!.includes(link) && String(mail.html).includes(link))
    })
  })

  test('a mail waits while the server has trouble, even over a restart, and is then sent once', async () => {
    const troubles = ['refuse connection', 'drop', { rcpt: 451 }, { data: 552 }] as const
    for (const [i, trouble] of troubles.entries()) {
      const address = `wait${i}@example.org`
      smtp.trouble = trouble
      const tries = smtp.tries
      await queue(async (mails, { query }) => {
        await mails.send('reset', address, values)
        mails.start()
        while (smtp.tries === tries) await delay(20)
        await delay(100)
        await mails.close()
        assert.ok(
          smtp.arrived.every(({ to }) => !to.includes(address)),
          JSON.stringify(trouble),
        )
        smtp.trouble = 'none'
        // Makes the next attempt due now.
        await query.updateTable('mails').set({ due_at: 0 }).execute()
        mails.start()
        await smtp.mailTo(address)
        await delay(50)
        assert.equal(smtp.arrived.filter(({ to }) => to.includes(address)).length, 1)
      })
    }
  })

  test('a mail that the server rejects is given up after five attempts, and its link is deleted', async () => {
    smtp.trouble = { rcpt: 550 }
    await queue(async (mails, { query }) => {
      await mails.send('reset', 'nobody@example.org', values)
      for (let i = 1; i <= 5; i++) {
        mails.start()
        for (;;) {
          const [mail] = (await mails.list({})).items
          if (mail!.tries >= i) break
          await delay(20)
        }
        await mails.close()
        await query.updateTable('mails').set({ due_at: 0 }).execute()
      }
      const [mail] = (await mails.list({})).items
      assert.ok(mail!.gave_up_at !== null && /550/.test(mail!.last_error), mail!.last_error)
      {
        assert.equal(
          (await query.selectFrom('mails').selectAll().executeTakeFirstOrThrow()).values_sealed,
          '',
        )
      }
    })
    smtp.trouble = 'none'
  })

  test('two sending processes send each mail once', async () => {
    await queue(async (one) => {
      await queue(async (other) => {
        for (let i = 0; i < 20; i++) await one.send('reset', `both${i}@example.org`, values)
        one.start()
        other.start()
        await Promise.all(Array.from({ length: 20 }, (_, i) => smtp.mailTo(`both${i}@example.org`)))
        await delay(100)
      })
    })
    const counts = Array.from(
      { length: 20 },
      (_, i) => smtp.arrived.filter(({ to }) => to.includes(`both${i}@example.org`)).length,
    )
    assert.deepEqual(new Set(counts), new Set([1]))
  })

  test('an address gets at most five mails an hour, in any case', async () => {
    await queue(async (mails) => {
      for (let i = 0; i < 8; i++)
        await mails.send('reset', i % 2 ? 'Often@example.org' : 'often@example.org', values)
      assert.equal((await mails.list({})).items.length, 5)
    })
  })

  test('a mail of a transaction that is rolled back is not sent', async () => {
    await queue(async (mails) => {
      const database = await openDatabase(url, log)
      const second = new Mails(
        database,
        seal,
        async () => assert.fail('nothing to send'),
        log,
        async () => {},
      )
      const work = database.write(async () => {
        await second.send('reset', 'never@example.org', values)
        throw new Error('rolled back')
      })
      await assert.rejects(work, /rolled back/)
      await database.close()
      mails.start()
      await delay(100)
      assert.equal((await mails.list({})).items.length, 0)
    })
  })
})

test('values in a mail are escaped, in every language', async () => {
  const hostile = '<img src=x>\r\nBcc: all@example.org'
  const facts = {
    name: hostile,
    link: 'http://localhost/x',
    lifetime: 3600,
    by: hostile,
    about: hostile,
  }
  const change = { what: 'passkey_added', name: hostile } as const
  for (const language of languages) {
    const words = await catalogueOf(language)
    for (const kind of Object.keys(words.mails.kinds) as MailKind[]) {
      for (const given of [facts, { ...facts, change }]) {
        const { subject, text, html } = render(words, kind, hostile, given)
        assert.ok(!/[\r\n]/.test(subject), kind)
        assert.ok(!html.includes('<img'), kind)
        assert.ok(!/^Bcc:/m.test(text), kind)
        assert.ok(text.length > 50, kind)
        assert.ok(html.includes(`<html lang="${language}" dir="ltr">`), kind)
      }
    }
  }
})

test('a mail queued by an earlier version states the lifetime of its link', async () => {
  const words = await catalogueOf('en')
  const { text } = render(words, 'reset', 'Desk', {
    name: 'Ada',
    link: 'http://localhost/x',
    lasts: '1 hour',
  })
  assert.match(text, /works once, for 1 hour\./)
})
