import type { Catalogue } from '../strings/catalogue.ts'
import { catalogueOf, languageFor, type Language } from '../strings/language.ts'
import { whenReady } from '../storage/when_ready.ts'
import { valuesOf } from '../wire/header_list.ts'

/** Returns the catalogue for these request headers. Returns no promise if the default language is cached. */
export type WordsFor = (rawHeaders: readonly string[]) => Catalogue | Promise<Catalogue>

/** The BCP 47 tag of the language that these headers ask for; undefined if we have none of them. */
export const languageAsked = (rawHeaders: readonly string[]): string | undefined =>
  languageFor(valuesOf(rawHeaders, 'accept-language').join())

/** Chooses by Accept-Language. `defaultLanguage` applies if we have none of the requested languages. */
export const wordsFor =
  (defaultLanguage: () => Language | Promise<Language>): WordsFor =>
  (rawHeaders) => {
    const wanted = languageAsked(rawHeaders)
    return wanted === undefined ? whenReady(defaultLanguage(), catalogueOf) : catalogueOf(wanted)
  }
