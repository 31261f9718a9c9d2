import { readFileSync } from 'node:fs'
import type { AddressInfo, Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { simpleParser, type ParsedMail } from 'mailparser'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import type { TestDaemon } from './daemon.ts'
import { TestAuthority } from './pem.ts'

export interface Arrived {
  readonly from: string
  readonly to: readonly string[]
  /** Whether it came over TLS. */
  readonly secure: boolean
  /** As received. */
  readonly raw: string
  readonly mail: ParsedMail
}

/** How a server may fail: close the connection, reply with this code, or not answer. */
export type Trouble =
  'none' | 'refuse connection' | 'stall' | 'drop' | { readonly rcpt: number } | { readonly data: number }

export interface TestSmtp extends AsyncDisposable {
  readonly port: number
  /** Certificate authority of the server, PEM. */
  readonly ca: string
  readonly arrived: Arrived[]
  /** The number of attempts to send a mail. */
  tries: number
  trouble: Trouble
  /** Waits for a mail to this address and returns the newest one. */
  mailTo(address: string, subject?: RegExp): Promise<ParsedMail>
}

const refusal = (responseCode: number) =>
  Object.assign(new Error(`refused with ${responseCode}`), { responseCode })

/** A mail server with its own certificate and configurable failures. */
export const startSmtp = async (options: SMTPServerOptions = {}): Promise<TestSmtp> => {
  using authority = new TestAuthority()
  const { cert, key } = authority.issue('localhost')
  const arrived: Arrived[] = []
  const sockets = new Set<Socket>()
  const smtp: TestSmtp = {
    port: 0,
    ca: authority.caPem,
    arrived,
    tries: 0,
    trouble: 'none',
    async mailTo(address, subject = /^/) {
      for (let i = 0; i < 400; i++) {
        const found = arrived.findLast(
          ({ to, mail }) => to.includes(address) && subject.test(mail.subject ?? ''),
        )
        if (found) return found.mail
        await delay(25)
      }
      throw new Error(
        `no mail for ${address} ${subject} came; there is ${arrived.map(({ to }) => to.join()).join(', ')}`,
      )
    },
    async [Symbol.asyncDispose]() {
      await new Promise<void>((resolve) => server.close(resolve))
    },
  }
  const server = new SMTPServer({
    cert: readFileSync(cert),
    key: readFileSync(key),
    authOptional: true,
    closeTimeout: 100,
    onAuth: ({ username, password }, _session, done) => {
      if (username === 'door' && password === 'opens') done(null, { user: username })
      else done(Object.assign(new Error('no'), { responseCode: 535 }))
    },
    onConnect: (_session, done) => {
      smtp.tries++
      if (smtp.trouble === 'refuse connection') return done(refusal(421))
      if (smtp.trouble === 'stall') return
      done()
    },
    onRcptTo: (_address, _session, done) => {
      const { trouble } = smtp
      done(typeof trouble === 'object' && 'rcpt' in trouble ? refusal(trouble.rcpt) : undefined)
    },
    onData: (stream, session, done) => {
      const parts: Buffer[] = []
      stream.on('data', (part: Buffer) => parts.push(part))
      stream.on('end', () => {
        const { trouble } = smtp
        // The connection closes just when the server should confirm the mail.
        if (trouble === 'drop') return void sockets.forEach((socket) => socket.destroy())
        if (typeof trouble === 'object' && 'data' in trouble) return done(refusal(trouble.data))
        const raw = Buffer.concat(parts).toString('utf8')
        const { mailFrom, rcptTo } = session.envelope
        const envelope = { from: mailFrom ? mailFrom.address : '', to: rcptTo.map(({ address }) => address) }
        simpleParser(raw, (_, mail) => {
          arrived.push({ ...envelope, secure: session.secure, raw, mail })
          done()
        })
      })
    },
    ...options,
  })
  server.on('error', () => {})
  server.server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.server.address() as AddressInfo
  return Object.assign(smtp, { port })
}

/** The first link in a mail. */
export const linkIn = (mail: ParsedMail): string => /https?:\/\/\S+/.exec(mail.text ?? '')?.[0] ?? ''

/** Configures a daemon to send its mail through this server. */
export const useServer = async ({ hero }: Pick<TestDaemon, 'hero'>, smtp: TestSmtp): Promise<void> => {
  for (const [key, value] of [
    ['smtp_host', 'localhost'],
    ['smtp_port', smtp.port],
    ['smtp_ca', smtp.ca],
    ['mail_from', 'door@example.org'],
  ] as const)
    await hero.settings.set({ key, value })
  // What is mailed before a first factor has tests of its own.
  await hero.settings.set({ key: 'factor_enrolment', value: 'proof' })
}
