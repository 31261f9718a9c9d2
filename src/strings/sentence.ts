/** A piece of a sentence that stands out, such as the name of a person or of an application. */
export interface Emphasis {
  readonly as: 'strong' | 'code'
  readonly text: string
}

type Piece = string | Emphasis

/**
 * A sentence in pieces, some of which stand out. It holds text and never markup, even if a name in it looks like markup: the
 * template that shows it escapes every piece.
 */
export class Sentence {
  readonly pieces: readonly Piece[]

  constructor(pieces: readonly Piece[]) {
    this.pieces = pieces
  }
}

export const sentence = (texts: TemplateStringsArray, ...values: readonly (Piece | number)[]): Sentence =>
  new Sentence(
    texts.flatMap((text, i) => {
      const value = values[i]
      return value === undefined ? [text] : [text, typeof value === 'number' ? String(value) : value]
    }),
  )

export const strong = (text: string): Emphasis => ({ as: 'strong', text })

export const code = (text: string): Emphasis => ({ as: 'code', text })
