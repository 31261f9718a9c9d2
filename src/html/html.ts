import { Sentence } from '../strings/sentence.ts'

/** Markup that is safe to send: made by `html` alone. */
export class Html {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

const escape = (text: string): string => text.replaceAll(/[&<>"']/g, (character) => entities[character]!)

type Part = Html | Sentence | string | number | undefined | false | readonly Html[]

/** The tags are written here: a sentence names only what stands out. */
const shown = ({ pieces }: Sentence): string =>
  pieces
    .map((piece) =>
      typeof piece === 'string' ? escape(piece) : `<${piece.as}>${escape(piece.text)}</${piece.as}>`,
    )
    .join('')

/** A template whose values are escaped, unless they are markup themselves; false and undefined are left out. */
export const html = (strings: TemplateStringsArray, ...values: readonly Part[]): Html => {
  let text = strings[0]!
  values.forEach((value, i) => {
    if (value instanceof Html) text += value.text
    else if (value instanceof Sentence) text += shown(value)
    else if (Array.isArray(value)) text += (value as readonly Html[]).map((part) => part.text).join('')
    else if (value !== undefined && value !== false) text += escape(String(value))
    text += strings[i + 1]!
  })
  return new Html(text)
}
