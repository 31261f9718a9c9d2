import type { Log } from '../log/log.ts'
import type { Rendered } from './render.ts'

/** The mail server from the settings. */
export interface MailServer {
  /** Empty if there is none. */
  readonly host: string
  readonly port: number
  readonly tls: 'starttls' | 'tls' | 'none'
  readonly user: string
  readonly password: string
  /** PEM, or empty for the public authorities. */
  readonly ca: string
  readonly from: string
  readonly site: string
  /** The language of mail that has none of its own, as a BCP 47 tag. */
  readonly language: string
}

/** Why a mail was not accepted. `final`: the server rejects this mail permanently. */
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

/** Timeouts in milliseconds. */
const timeouts = {
  connectionTimeout: 10_000,
  greetingTimeout: 10_000,
  socketTimeout: 20_000,
  dnsTimeout: 5000,
}

/** Delivers one mail to the server, or to the log if there is none. Rejects with MailError. */
export const deliver = async (
  server: MailServer,
  address: string,
  { from, subject, text, html }: Rendered,
  id: string,
  log: Log,
): Promise<void> => {
  if (server.host === '') {
    log.warn({ to: address, subject, text }, 'no mail server is set (smtp_host): this mail was NOT sent')
    return
  }
  // Load it with the first mail, so that it does not slow down the start.
  const { createTransport } = await import('nodemailer')
  const transport = createTransport({
    host: server.host,
    port: server.port,
    secure: server.tls === 'tls',
    requireTLS: server.tls === 'starttls',
    ignoreTLS: server.tls === 'none',
    ...(server.user !== '' && { auth: { user: server.user, pass: server.password } }),
    ...(server.ca !== '' && { tls: { ca: server.ca } }),
    ...timeouts,
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  try {
    await transport.sendMail({
      // Pass objects, so that nothing in them is parsed for more addresses.
      from: { name: from, address: server.from },
      to: { name: '', address },
      envelope: { from: server.from, to: [address] },
      messageId: `<${id}@${server.from.split('@')[1]}>`,
      subject,
      text,
      html,
      // No vacation notice replies to it (RFC 3834 section 5).
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
