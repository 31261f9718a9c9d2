import { html, type Html } from '../html/html.ts'
import type { Catalogue, FactorChange, MailKind, MailText } from '../strings/catalogue.ts'

/** The facts that a mail is about; the text is chosen when it is sent. */
export interface MailFacts {
  /** The name of the recipient. None in mail to an address that nobody has proved: it holds no text that somebody chose. */
  readonly name?: string
  readonly link?: string
  /** Seconds for which the link works. */
  readonly lifetime?: number
  /** The same in words, in mails that an earlier version queued. */
  readonly lasts?: string
  /** The username of the person who caused the mail, if that is not the recipient. */
  readonly by?: string
  /** An address that changed, or the network where the mail was caused. */
  readonly about?: string
  /** How the recipient's factors changed, and the name of the passkey if it was one. */
  readonly change?: { readonly what: FactorChange; readonly name: string }
}

export interface Rendered {
  /** The name of the sender. */
  readonly from: string
  readonly subject: string
  readonly text: string
  readonly html: string
}

/**
 * A value that somebody gave, as one line that reads as what it is: no line break in it begins a line or a header of its own, and no
 * mark turns the direction of the text around it.
 */
const oneLine = (value: string): string =>
  value.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ').replaceAll(/[\u202a-\u202e\u2066-\u2069]/g, '\ufffd')

const paragraph = (text: string): Html => html`<p style="margin:0 0 16px">${text}</p> `

/** The button, and below it the address as text on a line of its own, for readers whose mail program shows no buttons. */
const action = (link: string, button: string): Html =>
  html`<p style="margin:24px 0">
      <a
        href="${link}"
        style="display:inline-block;padding:12px 20px;border-radius:8px;background:#1f5f99;color:#ffffff;text-decoration:none;font-weight:600"
        >${button}</a
      >
    </p>
    <p style="margin:0 0 16px;color:#59636e;font-size:14px;word-break:break-all">${link}</p> `

/**
 * Renders the same text as plain text and as HTML that loads nothing from other servers. `site` is the name of this
 * installation.
 */
export const render = (
  { lang, dir, mails }: Catalogue,
  kind: MailKind,
  siteName: string,
  { name = '', link, lifetime, change, ...facts }: MailFacts,
): Rendered => {
  const site = oneLine(siteName)
  const about = change
    ? mails.factor_changes[change.what]({ name: oneLine(change.name) })
    : oneLine(facts.about ?? '')
  const {
    subject,
    paragraphs,
    button = '',
  }: MailText = mails.kinds[kind]({
    site,
    lasts: lifetime === undefined ? (facts.lasts ?? '') : mails.lasts({ seconds: lifetime }),
    by: oneLine(facts.by ?? ''),
    about,
  })
  const hello = mails.greeting({ name: oneLine(name) })
  const text = [hello, ...paragraphs, ...(link === undefined ? [] : [`${button}:\n${link}`]), `— ${site}`]
  const markup = html`<!doctype html>
    <html lang="${lang}" dir="${dir}">
      <head>
        <meta charset="utf-8" />
        <meta name="color-scheme" content="light dark" />
        <title>${subject}</title>
      </head>
      <body
        style="margin:0;padding:24px 16px;font:16px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif"
      >
        <div style="max-width:34rem;margin:0 auto">
          ${paragraph(hello)}${paragraphs.map(paragraph)}${link !== undefined && action(link, button)}
          <p style="margin:24px 0 0;color:#59636e;font-size:14px">${site}</p>
        </div>
      </body>
    </html> `
  return { from: site, subject, text: `${text.join('\n\n')}\n`, html: markup.text }
}
