import { html, type Html } from '../html/html.ts'

interface MailView {
  readonly lang: string
  readonly dir: string
  readonly subject: string
  readonly site: string
  /** Each is one or more lines. */
  readonly paragraphs: readonly (readonly string[])[]
  readonly action: { readonly link: string; readonly button: string } | undefined
}

const paragraph = ([first = '', ...more]: readonly string[]): Html =>
  html`<p style="margin:0 0 16px">${first}${more.map((line) => html`<br>${line}`)}</p>
`

/** The button, and below it the address as text on a line of its own, for readers whose mail program shows no buttons. */
const buttonAndLink = ({ link, button }: NonNullable<MailView['action']>): Html =>
  html`<p style="margin:24px 0"><a href="${link}" style="display:inline-block;padding:12px 20px;border-radius:8px;background:#1f5f99;color:#ffffff;text-decoration:none;font-weight:600">${button}</a></p>
<p style="margin:0 0 16px;color:#59636e;font-size:14px;word-break:break-all">
${link}
</p>
`

/** The HTML part of a mail. It loads nothing from anywhere. */
export const mailMarkup = ({ lang, dir, subject, site, paragraphs, action }: MailView): string =>
  html`<!doctype html>
<html lang="${lang}" dir="${dir}"><head><meta charset="utf-8"><meta name="color-scheme" content="light dark"><title>${subject}</title></head>
<body style="margin:0;padding:24px 16px;font:16px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif">
<div style="max-width:34rem;margin:0 auto">
${paragraphs.map(paragraph)}${action && buttonAndLink(action)}<p style="margin:24px 0 0;color:#59636e;font-size:14px">${site}</p>
</div></body></html>
`.text
