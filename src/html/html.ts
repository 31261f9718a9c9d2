import { Sentence } from '../strings/sentence.ts'

/** Markup that is safe to send. Only `html` creates it. */
export class Html {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

const escape = (text: string): string => text.replaceAll(/[&<>"']/g, (character) => entities[character]!)

type Part = Html | Sentence | string | number | undefined | false | readonly Html[]

/** Writes the tags: a sentence only marks which pieces stand out. */
const shown = ({ pieces }: Sentence): string =>
  pieces
    .map((piece) =>
      typeof piece === 'string' ? escape(piece) : `<${piece.as}>${escape(piece.text)}</${piece.as}>`,
    )
    .join('')

/** A template that escapes its values unless they are markup themselves. It omits false and undefined. */
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
