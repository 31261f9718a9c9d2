import type { Catalogue } from '../strings/catalogue.ts'
import { catalogueOf, languageFor, type Language } from '../strings/language.ts'
import { whenReady } from '../storage/when_ready.ts'
import { valuesOf } from '../wire/header_list.ts'

/** The words for the person who sent these headers. Warm, it returns no promise. */
export type WordsFor = (rawHeaders: readonly string[]) => Catalogue | Promise<Catalogue>

/** The language that these headers ask for, by its BCP 47 tag; undefined where they ask for none of ours. */
export const languageAsked = (rawHeaders: readonly string[]): string | undefined =>
  languageFor(valuesOf(rawHeaders, 'accept-language').join())

/** Chooses by Accept-Language; `otherwise` is the language of people whose browser asks for none of ours. */
export const wordsFor =
  (otherwise: () => Language | Promise<Language>): WordsFor =>
  (rawHeaders) => {
    const wanted = languageAsked(rawHeaders)
    return wanted === undefined ? whenReady(otherwise(), catalogueOf) : catalogueOf(wanted)
  }
