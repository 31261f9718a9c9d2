import type { Catalogue, FactorChange, MailKind, MailText } from '../strings/catalogue.ts'

/** The facts that a mail is about; the text is chosen when it is sent. */
export interface MailFacts {
  /** The name of the recipient. */
  readonly name: string
  readonly link?: string
  /** Seconds for which the link works. */
  readonly lifetime?: number
  /** The same in words, in mails that an earlier version queued. */
  readonly lasts?: string
  /** The name of the user who caused the mail, if that is not the recipient. */
  readonly by?: string
  /** An address that changed, or the network where the mail was caused. */
  readonly about?: string
  /** How the recipient's factors changed, and the name of the passkey if it was one. */
  readonly change?: { readonly what: FactorChange; readonly name: string }
}

export interface Rendered {
  readonly subject: string
  readonly text: string
  readonly html: string
}

const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}
const escape = (text: string): string => text.replaceAll(/[&<>"']/g, (character) => entities[character]!)

/** No line break in a name may end a header. */
const oneLine = (text: string): string => text.replaceAll(/[\u0000-\u001f\u007f]+/g, ' ')

/**
 * Renders the same text as plain text and as HTML that loads nothing from other servers. `site` is the name of this
 * installation.
 */
export const render = (
  { lang, dir, mails }: Catalogue,
  kind: MailKind,
  site: string,
  { name, link, lifetime, change, ...facts }: MailFacts,
): Rendered => {
  const { subject, paragraphs, button }: MailText = mails.kinds[kind]({
    site,
    lasts: lifetime === undefined ? (facts.lasts ?? '') : mails.lasts({ seconds: lifetime }),
    by: facts.by ?? '',
    about: change ? mails.factor_changes[change.what](change) : (facts.about ?? ''),
  })
  const hello = mails.greeting({ name })
  const text = [
    hello,
    ...paragraphs,
    ...(link === undefined ? [] : [`${button ?? subject}:\n${link}`]),
    `— ${site}`,
  ]
  const paragraph = (words: string) => `<p style="margin:0 0 16px">${escape(words)}</p>`
  const action =
    link === undefined
      ? ''
      : `<p style="margin:24px 0"><a href="${escape(link)}" style="display:inline-block;padding:12px 20px;border-radius:8px;background:#1f5f99;color:#ffffff;text-decoration:none;font-weight:600">${escape(button ?? subject)}</a></p>
<p style="margin:0 0 16px;color:#59636e;font-size:14px;word-break:break-all">${escape(link)}</p>`
  const html = `<!doctype html>
<html lang="${lang}" dir="${dir}"><head><meta charset="utf-8"><meta name="color-scheme" content="light dark"><title>${escape(subject)}</title></head>
<body style="margin:0;padding:24px 16px;font:16px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif">
<div style="max-width:34rem;margin:0 auto">
${paragraph(hello)}
${paragraphs.map(paragraph).join('\n')}
${action}
<p style="margin:24px 0 0;color:#59636e;font-size:14px">${escape(site)}</p>
</div></body></html>
`
  return { subject: oneLine(subject), text: `${text.join('\n\n')}\n`, html }
}
