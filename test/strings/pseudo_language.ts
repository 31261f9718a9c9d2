import type { Catalogue } from '../../src/strings/catalogue.ts'
import { english } from '../../src/strings/en/english.ts'
import { Sentence } from '../../src/strings/sentence.ts'

const accented: Readonly<Record<string, string>> = {
  a: 'á',
  e: 'é',
  i: 'í',
  o: 'ó',
  u: 'ú',
  A: 'Á',
  E: 'É',
  I: 'Í',
  O: 'Ó',
  U: 'Ú',
}

/** Still readable, and 40 % longer. */
const stretched = (text: string): string =>
  text === ''
    ? ''
    : text.replaceAll(/[aeiouAEIOU]/g, (vowel) => accented[vowel]!) +
      ' ~'.repeat(Math.ceil(text.length * 0.2))

const translated = (entry: unknown): unknown => {
  if (typeof entry === 'string') return stretched(entry)
  if (typeof entry === 'function') return (...values: unknown[]) => translated(entry(...values))
  if (entry instanceof Sentence)
    return new Sentence(entry.pieces.map((piece) => (typeof piece === 'string' ? stretched(piece) : piece)))
  if (Array.isArray(entry)) return entry.map(translated)
  if (typeof entry !== 'object' || entry === null) return entry
  return Object.fromEntries(Object.entries(entry).map(([name, part]) => [name, translated(part)]))
}

/** An invented right-to-left language: text that is English on its pages has no entry in the catalogue. */
export const pseudoLanguage: Catalogue = { ...(translated(english) as Catalogue), lang: 'ar', dir: 'rtl' }
