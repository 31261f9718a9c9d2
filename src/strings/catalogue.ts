import type { english } from './en/english.ts'
import type { Notice } from './en/refusals.ts'

export type { MailText, MailValues } from './en/mails.ts'
export type { Notice } from './en/refusals.ts'

/**
 * Every string that people read, by topic. An entry is a text, or a function that makes one from typed values. `lang` is a BCP 47
 * tag, `dir` the direction of the script.
 */
export type Catalogue = typeof english

export type MailKind = keyof Catalogue['mails']['kinds']
export type FactorChange = keyof Catalogue['mails']['factor_changes']

type Notices = Catalogue['refusals']['notices']

/** The notice to show, with the values in its text. */
export type NoticeFacts = {
  [K in keyof Notices]: Notices[K] extends (values: infer V) => Notice
    ? { readonly reason: K; readonly values: V }
    : { readonly reason: K; readonly values?: undefined }
}[keyof Notices]

/** What is wrong with the signature of a request. */
export type SignatureFault = Parameters<Notices['not_signed']>[0]['fault']

export type LinkName = keyof Catalogue['refusals']['links']

/** What went wrong in a form or call, from the `data` of its error: `reason`, or else `code`, names the text. */
export type ProblemName = keyof Catalogue['refusals']['problems']
