import { Type } from './schema_builder.ts'

/** The words of a template that stand for something of the person. `attribute.quota` is the attribute of this name. */
const word = /\{([^{}]*)\}/g
const known = /^(user|email|name|id|groups|attribute\.[a-z][a-z0-9_]{0,62})$/

/** What a template makes of a value. */
export type TemplateValue = string | number | boolean | readonly string[]

export const templateRule =
  'one line of at most 256 characters, with the words {user} {email} {name} {id} {groups} {attribute.NAME} and no other braces'

export const Template = Type.String({
  minLength: 1,
  maxLength: 256,
  pattern: '^[^\\u0000-\\u001f\\u007f-\\u009f\\u2028-\\u202e\\u2066-\\u2069]*$',
  description: templateRule,
})

/** The words of a template, without braces. */
export const wordsIn = (template: string): string[] =>
  [...template.matchAll(word)].map(([, name = '']) => name)

/** The attribute that a word names; undefined for other words. */
export const attributeNameIn = (word: string): string | undefined =>
  word.startsWith('attribute.') ? word.slice('attribute.'.length) : undefined

/**
 * Whether a template with words gives no two people the same text: exactly one word, which tells people apart and which neither they
 * nor a provider choose.
 */
export const mayFindAccounts = (template: string, isIdentifying: (attribute: string) => boolean): boolean => {
  const [only = '', ...more] = wordsIn(template)
  if (more.length > 0) return false
  const name = attributeNameIn(only)
  return name === undefined ? ['user', 'id', 'email'].includes(only) : isIdentifying(name)
}

/** Whether every brace belongs to a word that we know. */
export const isTemplate = (template: string): boolean =>
  !/[{}]/.test(template.replaceAll(word, '')) && wordsIn(template).every((name) => known.test(name))

/**
 * Replaces the words, once: braces in a value stay text. A lone word keeps its JSON type; in a text, lists are joined by commas.
 * Undefined if a word has no value.
 */
export const expand = (
  template: string,
  valueOf: (name: string) => TemplateValue | undefined,
): TemplateValue | undefined => {
  const [lone] = wordsIn(template)
  if (template === `{${lone}}`) return valueOf(lone!)
  let missing = false
  const text = template.replaceAll(word, (_, name: string) => {
    const value = valueOf(name)
    missing ||= value === undefined
    return typeof value === 'object' ? value.join(',') : String(value)
  })
  return missing ? undefined : text
}
