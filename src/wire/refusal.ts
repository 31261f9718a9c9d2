import type { Catalogue, LinkName, NoticeFacts } from '../strings/catalogue.ts'
import { noticeWords, problemWords, type Problem } from '../strings/refusal_words.ts'

/** Why something was refused, or what else there is to say: facts, whose words are found where they are shown. */
export type Told = NoticeFacts & {
  readonly status: number
  /** Name for programs, as in JSON-RPC's error.data.code. */
  readonly code: string
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  readonly link?: { readonly href: string; readonly name: LinkName }
  /** The failure of a call; its words stand in place of the text. */
  readonly problem?: Problem
}

/** Title and text of a refusal, in a language. */
export const wordsOf = (
  catalogue: Pick<Catalogue, 'refusals'>,
  told: Told,
): { readonly title: string; readonly text: string } => {
  const { title, text } = noticeWords(catalogue, told)
  return { title, text: told.problem ? problemWords(catalogue, told.problem) : text }
}

export const notHere = { status: 404, reason: 'not_found', code: 'not_found' } as const satisfies Told

export const storageAway: Told = {
  status: 503,
  reason: 'unavailable',
  code: 'unavailable',
  headers: { 'retry-after': '5' },
}
