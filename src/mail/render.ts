import { english, type MailKind, type Text, type Values } from './texts.ts'

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

/** No line of a name ends a header, whoever chose it. */
const oneLine = (text: string): string => text.replaceAll(/[\u0000-\u001f\u007f]+/g, ' ')

/** The same words as plain text and as a page that asks no other server for anything. */
export const render = (kind: MailKind, values: Values): Rendered => {
  const { subject, paragraphs, button }: Text = english[kind](values)
  const { link, name, site } = values
  const hello = `Hello ${name},`
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
<html lang="en"><head><meta charset="utf-8"><meta name="color-scheme" content="light dark"><title>${escape(subject)}</title></head>
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
