import type { Catalogue, LinkName, NoticeFacts } from '../strings/catalogue.ts'
import { noticeWords, problemWords, type Problem } from '../strings/refusal_words.ts'

interface RefusalLink {
  readonly href: string
  readonly name: LinkName
}

/** Why something was refused, or another notice, as facts. The code that shows it finds the words. */
export type Refusal = NoticeFacts & {
  readonly status: number
  /** The name for programs, as in `error.data.code` of JSON-RPC. */
  readonly code: string
  /** What the problem document says besides its text. */
  readonly members?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  readonly link?: RefusalLink
  /** Links of less weight. */
  readonly more?: readonly RefusalLink[]
  /** Offers the way back to the page of this host that led here, or else to this address. */
  readonly back?: string
  /** The failure of a call; its words replace the text. */
  readonly problem?: Problem
}

/** Title and text of a refusal in the language of the catalogue. */
export const wordsOf = (
  catalogue: Pick<Catalogue, 'refusals'>,
  refusal: Refusal,
): { readonly title: string; readonly text: string } => {
  const { title, text } = noticeWords(catalogue, refusal)
  return { title, text: refusal.problem ? problemWords(catalogue, refusal.problem) : text }
}

export const notFoundRefusal = {
  status: 404,
  reason: 'not_found',
  code: 'not_found',
} as const satisfies Refusal

export const unavailableRefusal: Refusal = {
  status: 503,
  reason: 'unavailable',
  code: 'unavailable',
  headers: { 'retry-after': '5' },
}
