import type { Log } from '../log/log.ts'
import type { Rendered } from './render.ts'

/** Where mail goes, as the settings say. */
export interface MailServer {
  /** Empty: there is none. */
  readonly host: string
  readonly port: number
  readonly tls: 'starttls' | 'tls' | 'none'
  readonly user: string
  readonly password: string
  /** PEM, or empty for the public authorities. */
  readonly ca: string
  readonly from: string
  readonly site: string
  /** Of mail that names none, as a BCP 47 tag. */
  readonly language: string
}

/** Why a mail was not taken. `final`: the server refuses this very mail, and will again. */
export class MailError extends Error {
  override readonly name = 'MailError'
  readonly final: boolean

  constructor(message: string, final: boolean) {
    super(message)
    this.final = final
  }
}

interface SmtpFailure extends Error {
  readonly responseCode?: number
  readonly command?: string
}

/** Milliseconds until a server that says nothing is given up. */
const patience = {
  connectionTimeout: 10_000,
  greetingTimeout: 10_000,
  socketTimeout: 20_000,
  dnsTimeout: 5000,
}

/** Hands one mail to the server, or to the log where there is none. Rejects with MailError. */
export const deliver = async (
  server: MailServer,
  address: string,
  { subject, text, html }: Rendered,
  id: string,
  log: Log,
): Promise<void> => {
  if (server.host === '') {
    log.warn({ to: address, subject, text }, 'no mail server is set (smtp_host): this mail was NOT sent')
    return
  }
  // Loaded with the first mail: no start waits for it.
  const { createTransport } = await import('nodemailer')
  const transport = createTransport({
    host: server.host,
    port: server.port,
    secure: server.tls === 'tls',
    requireTLS: server.tls === 'starttls',
    ignoreTLS: server.tls === 'none',
    ...(server.user !== '' && { auth: { user: server.user, pass: server.password } }),
    ...(server.ca !== '' && { tls: { ca: server.ca } }),
    ...patience,
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  try {
    await transport.sendMail({
      // As objects: nothing of them is parsed for further addresses.
      from: { name: server.site, address: server.from },
      to: { name: '', address },
      envelope: { from: server.from, to: [address] },
      messageId: `<${id}@${server.from.split('@')[1]}>`,
      subject,
      text,
      html,
      // No vacation notice answers it (RFC 3834 section 5).
      headers: { 'Auto-Submitted': 'auto-generated' },
    })
  } catch (fault) {
    const { message, responseCode = 0, command = '' } = fault as SmtpFailure
    const final = responseCode >= 500 && ['MAIL FROM', 'RCPT TO', 'DATA'].includes(command)
    throw new MailError(message.slice(0, 300), final)
  } finally {
    transport.close()
  }
}
