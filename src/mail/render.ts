import { shownName } from '../contract/names.ts'
import { deviceOf } from '../strings/browser_name.ts'
import type { Catalogue, FactorChange, MailKind, MailText } from '../strings/catalogue.ts'
import { mailMarkup } from './mail_view.ts'

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
  /** Unix time at which the account of the recipient ends. */
  readonly ends_at?: number
  /** An address that changed. */
  readonly about?: string
  /** Whether the link gives the account the address back that the mail goes to. */
  readonly restores?: boolean
  /** When what was given ends, in Unix seconds; null without an end. */
  readonly until?: number | null
  /** Words of somebody for the recipient. */
  readonly said?: string
  /** How the recipient's factors changed, and the name of the passkey if it was one. */
  readonly change?: { readonly what: FactorChange; readonly name: string }
  /** The code beside the link. */
  readonly code?: string
  /** Where the mail was asked for. */
  readonly asked?: Happening
  /** What a security notice says about its cause: where that happened, or that it was an administrator. */
  readonly event?: Happening & { readonly administrator?: boolean }
}

/** When, with which device and from which network address something happened. */
interface Happening {
  readonly at: number
  readonly agent?: string
  readonly address?: string
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

/** When, with which device and from which network address something happened, a line each. */
const detailsOf = (
  words: Catalogue,
  { at, agent, address, administrator }: NonNullable<MailFacts['event']>,
): string[] => {
  const { event } = words.mails
  return [
    event.time({ at }),
    ...(administrator ? [event.administrator] : []),
    ...(agent ? [event.device({ device: oneLine(deviceOf(words, agent)) })] : []),
    ...(address ? [event.address({ address: oneLine(address) })] : []),
  ]
}

/**
 * Renders the same text as plain text and as HTML that loads nothing from other servers. `siteName` is the name of this
 * installation.
 */
export const render = (
  words: Catalogue,
  kind: MailKind,
  siteName: string,
  { name = '', link, lifetime, change, event, code, asked = event, ...facts }: MailFacts,
): Rendered => {
  const { lang, dir, mails } = words
  const site = oneLine(siteName)
  const about = change
    ? mails.factor_changes[change.what]({ name: shownName(oneLine(change.name)) })
    : oneLine(facts.about ?? '')
  const { subject, paragraphs, button }: MailText = mails.kinds[kind]({
    site,
    lasts: lifetime === undefined ? (facts.lasts ?? '') : mails.lasts({ seconds: lifetime }),
    by: oneLine(facts.by ?? ''),
    at: facts.ends_at ?? 0,
    about,
    restores: facts.restores === true && link !== undefined,
    until: facts.until ?? null,
    said: oneLine(facts.said ?? ''),
  })
  const [first = '', ...more] = paragraphs
  const body = [
    ...(code === undefined ? [] : [[mails.code({ code: oneLine(code) })]]),
    [mails.greeting({ name: shownName(oneLine(name)) })],
    [first],
    ...(asked ? [detailsOf(words, asked)] : []),
    ...more.map((text) => [text]),
    ...(code === undefined ? [] : [[mails.code_warning]]),
    ...(event && link !== undefined ? [[facts.restores ? mails.not_me.restores : mails.not_me.text]] : []),
  ]
  const action =
    link === undefined ? undefined : { link, button: button ?? (event ? mails.not_me.button : subject) }
  const text = [
    ...body.map((lines) => lines.join('\n')),
    ...(action ? [`${action.button}:\n${action.link}`] : []),
    `— ${site}`,
  ]
  return {
    from: site,
    subject,
    text: `${text.join('\n\n')}\n`,
    html: mailMarkup({ lang, dir, subject, site, paragraphs: body, action }),
  }
}
