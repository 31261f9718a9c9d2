import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { ParsedMail } from 'mailparser'
import { createLog } from '../../src/log/log.ts'
import { render } from '../../src/mail/render.ts'
import { deliver } from '../../src/mail/transport.ts'
import { newId } from '../../src/storage/ids.ts'
import { catalogueOf } from '../../src/strings/language.ts'
import { goodPassword, startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { linkIn, startSmtp, useServer, type TestSmtp } from '../support/smtp.ts'
import { signedIn } from '../support/people.ts'

const textOf = ({ html }: ParsedMail): string =>
  String(html)
    .replaceAll(/<[^>]*>/g, '')
    .replaceAll('&amp;', '&')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")

/** What both parts of a mail hold alike: it loads nothing, and each link stands alone on its line as text. */
const bothParts = (mail: ParsedMail) => {
  const [text, html] = [mail.text ?? '', String(mail.html)]
  assert.doesNotMatch(html, /<(?!\/?(?:html|head|meta|title|body|div|p|a)\b)[a-z!/](?!doctype)/i)
  assert.doesNotMatch(html, /\b(?:src|srcset|background|action)=|url\(|@import|@font-face/i)
  const link = linkIn(mail)
  if (link !== '') {
    assert.ok(text.split(/\r?\n/).includes(link), text)
    assert.ok(textOf(mail).split(/\r?\n/).includes(link), html)
    const addresses = [...html.matchAll(/href="([^"]*)"/g)].map(([, href]) => href!.replaceAll('&amp;', '&'))
    assert.deepEqual(addresses, [link])
  }
  for (const line of text.split(/\r?\n/).filter((line) => line !== ''))
    if (!line.endsWith(':') && !line.startsWith('— ')) assert.ok(textOf(mail).includes(line), line)
  return { text, html, link }
}

describe('what a mail says', () => {
  let daemon: TestDaemon
  let smtp: TestSmtp
  before(async () => {
    smtp = await startSmtp()
    daemon = await startTestDaemon()
    await useServer(daemon, smtp)
    await daemon.hero.settings.set({ key: 'site_name', value: 'Ada’s house' })
    await daemon.hero.settings.set({ key: 'registration_mode', value: 'open' })
    await daemon.hero.settings.set({ key: 'magic_links', value: true })
  })
  after(async () => {
    await smtp[Symbol.asyncDispose]()
    await daemon.close()
  })

  test('subject and sender name the installation, and both parts say everything', async () => {
    const email = 'lin@example.org'
    await daemon.hero.users.add({ username: 'lin', email, password: goodPassword })
    await daemon.hero.auth.request_password_reset({ email })
    await daemon.hero.auth.request_magic_link({ email })
    for (const subject of [/new password/, /Sign in/]) {
      const mail = await smtp.mailTo(email, subject)
      assert.match(mail.subject!, /Ada’s house/)
      assert.equal(mail.from?.value[0]?.name, 'Ada’s house')
      const { text, link } = bothParts(mail)
      assert.match(text, /Hello lin,/)
      assert.match(text, /— Ada’s house/)
      assert.notEqual(link, '')
    }
  })

  test('an invitation says who invites and to what, and never the name that they chose', async () => {
    await daemon.hero.users.add({
      username: 'grace',
      display_name: 'Your bank: visit evil.example',
      password: goodPassword,
      is_admin: true,
    })
    const grace = await signedIn(daemon, 'grace')
    await grace.invitations.add({ email: 'joan@example.org' })
    const { text, html } = bothParts(await smtp.mailTo('joan@example.org'))
    assert.match(text, /^Hello,$/m)
    assert.match(text, /grace invites you to create an account at Ada’s house\./)
    assert.doesNotMatch(text + html, /evil/)
    await daemon.hero.invitations.add({ email: 'mary@example.org' })
    const { text: system } = bothParts(await smtp.mailTo('mary@example.org'))
    assert.match(system, /An administrator of Ada’s house invites you to create an account there\./)
  })

  test('mail to an address that nobody has proved holds no text that somebody chose', async () => {
    const display_name = 'You won! visit evil.example'
    const email = 'victim@example.org'
    const wanted = { username: 'evil-example', display_name, email, password: goodPassword }
    await daemon.hero.auth.register(wanted)
    await daemon.hero.auth.request_password_reset({ email })
    await daemon.hero.auth.request_magic_link({ email })
    await daemon.hero.users.add({ username: 'mallory', display_name, password: goodPassword })
    const mallory = await signedIn(daemon, 'mallory')
    await mallory.auth.change_email({ email: 'other@example.org', current_password: goodPassword })
    const mails = [
      await smtp.mailTo(email, /Confirm your address/),
      await smtp.mailTo(email, /new password/),
      await smtp.mailTo(email, /Sign in/),
      await smtp.mailTo('other@example.org', /new address/),
    ]
    for (const mail of mails) {
      const { text, html } = bothParts(mail)
      assert.doesNotMatch(`${mail.subject}${text}${html}`, /evil/, mail.subject)
      assert.match(text, /^Hello,$/m)
    }
  })
})

test('a hostile name of the installation or of a device stays text', async () => {
  await using smtp = await startSmtp()
  const site = '<script>alert(1)</script>\r\nBcc: all@example.org\r\n\r\nhttps://evil.example'
  const server = {
    host: 'localhost',
    port: smtp.port,
    tls: 'starttls',
    user: '',
    password: '',
    ca: smtp.ca,
    from: 'door@example.org',
    site,
    language: 'en',
  } as const
  const name = '<script>alert(2)</script>\r\nhttps://evil.example\u2028\u202eend'
  const facts = { name, change: { what: 'passkey_added', name } } as const
  const rendered = render(await catalogueOf('en'), 'factors_changed', site, facts)
  await deliver(server, 'ada@example.org', rendered, newId(), createLog('silent'))
  const mail = await smtp.mailTo('ada@example.org')
  assert.equal(mail.headers.get('bcc'), undefined)
  assert.match(mail.from!.value[0]!.name, /^<script>alert\(1\)<\/script> Bcc: /)
  assert.match(mail.subject!, /<script>alert\(1\)<\/script> Bcc: /)
  assert.doesNotMatch(String(mail.html), /<script/)
  assert.match(
    textOf(mail),
    /The passkey “<script>alert\(2\)<\/script> https:\/\/evil\.example �end” was added/,
  )
  assert.match(
    mail.text!,
    /The passkey “<script>alert\(2\)<\/script> https:\/\/evil\.example �end” was added/,
  )
  assert.doesNotMatch(mail.text!, /^https:|^Bcc/m)
})

test('the notice of a change of address says in each language what its link can do', async () => {
  for (const lang of ['en', 'de', 'fr'] as const) {
    const words = await catalogueOf(lang)
    const event = { at: 1_700_000_000, administrator: true }
    const link = 'https://door.example.org/auth/not_me?token=t'
    const facts = { event, link, about: 'new@example.org' }
    const { not_me } = words.mails
    const restoring = render(words, 'address_changed', 'door', { ...facts, restores: true })
    const telling = render(words, 'address_changed', 'door', facts)
    const removed = render(words, 'address_changed', 'door', { ...facts, about: '' })
    for (const part of ['text', 'html'] as const) {
      assert.ok(restoring[part].includes(not_me.restores) && !restoring[part].includes(not_me.text), lang)
      assert.ok(telling[part].includes(not_me.text) && !telling[part].includes(not_me.restores), lang)
      assert.ok(restoring[part].includes('new@example.org') && !removed[part].includes('@example.org'), lang)
    }
    // A person with very many notices gets no link, so nothing can promise one.
    const { link: _, ...bare } = facts
    const without = render(words, 'address_changed', 'door', { ...bare, restores: true })
    assert.ok(!without.text.includes(not_me.restores) && without.text.split('\n\n').length > 3, lang)
  }
})
