import type { english } from './en/english.ts'
import type { Notice } from './en/refusals.ts'

export type { MailText, MailValues } from './en/mails.ts'
export type { Notice } from './en/refusals.ts'

/**
 * Every string that people read, by topic; an entry is a text, or a function of typed values that returns one. `lang` is a BCP 47 tag,
 * `dir` the direction of the script.
 */
export type Catalogue = typeof english

export type MailKind = keyof Catalogue['mails']['kinds']
export type FactorChange = keyof Catalogue['mails']['factor_changes']

type Notices = Catalogue['refusals']['notices']

/** Which notice is shown, with the values that it takes. */
export type NoticeFacts = {
  [K in keyof Notices]: Notices[K] extends (values: infer V) => Notice
    ? { readonly reason: K; readonly values: V }
    : { readonly reason: K; readonly values?: undefined }
}[keyof Notices]

/** What is wrong with the signature of a request. */
export type SignatureFault = Parameters<Notices['not_signed']>[0]['fault']

export type LinkName = keyof Catalogue['refusals']['links']

/** What went wrong in a form or call, as `data` of the error tells it: `reason`, or `code` where there is none, names the words. */
export type ProblemName = keyof Catalogue['refusals']['problems']
