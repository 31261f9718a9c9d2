import type { Catalogue } from './catalogue.ts'

/** The languages that people can choose, by their BCP 47 tags. */
export const languages = ['en', 'de', 'fr'] as const
export type Language = (typeof languages)[number]

type Load = () => Catalogue | Promise<Catalogue>

/** Each catalogue loads at its first use, so that it does not delay the start. */
const own: Readonly<Record<Language, Load>> = {
  en: async () => (await import('./en/english.ts')).english,
  de: async () => (await import('./de/german.ts')).german,
  fr: async () => (await import('./fr/french.ts')).french,
}
const offered = new Map<string, Load>(Object.entries(own))
const loaded = new Map<string, Catalogue>()

/** Offers one more language, such as the invented one in the tests, until the caller calls the returned function. */
export const offerLanguage = (tag: string, catalogue: Catalogue): (() => void) => {
  offered.set(tag, () => catalogue)
  return () => {
    offered.delete(tag)
    loaded.delete(tag)
  }
}

/** Returns the strings of an offered language. Warm, it returns no promise. */
export const catalogueOf = (tag: string): Catalogue | Promise<Catalogue> => {
  const known = loaded.get(tag)
  if (known !== undefined) return known
  const keep = (catalogue: Catalogue) => {
    loaded.set(tag, catalogue)
    return catalogue
  }
  const found = offered.get(tag)!()
  return found instanceof Promise ? found.then(keep) : keep(found)
}

/** A language range of at most eight subtags: looking up a longer one, subtag by subtag, would hold the event loop. */
const range =
  /^\s*([a-z]{1,8}(?:-[a-z0-9]{1,8}){0,7}|\*)\s*(?:;\s*q\s*=\s*(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)\s*)?$/i

/** Later language ranges are ignored, because the sender decides how long the header is. */
const maxRanges = 50

/** Returns a language range without its last subtag (RFC 4647 section 3.4). */
const shortened = (tag: string): string => tag.slice(0, Math.max(0, tag.lastIndexOf('-')))

/**
 * Returns the language that an Accept-Language header (RFC 9110 section 12.5.4) asks for, by lookup (RFC 4647 section 3.4).
 * Undefined if we offer none of its languages, or if it leaves the choice to us.
 */
export const languageFor = (accepted: string): string | undefined => {
  const ranges = accepted
    .split(',', maxRanges)
    .map((part) => range.exec(part))
    .filter((match) => match !== null)
    .map(([, tag, quality]) => ({ tag: tag!.toLowerCase(), quality: Number(quality ?? 1) }))
  const excluded = new Set(ranges.filter(({ quality }) => quality === 0).map(({ tag }) => tag))
  // Sorting is stable, so ranges of equal quality keep their order.
  for (const { tag, quality } of ranges.toSorted((a, b) => b.quality - a.quality)) {
    if (quality === 0 || tag === '*') return undefined
    for (let shorter = tag; shorter !== ''; shorter = shortened(shorter))
      if (offered.has(shorter) && !excluded.has(shorter)) return shorter
  }
  return undefined
}
