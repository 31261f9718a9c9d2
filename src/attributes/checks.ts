import { invalidParams } from '../contract/errors.ts'
import type { AttributeValue } from '../contract/attribute_values.ts'
import type { Attribute } from './attribute.ts'

/** The same as `Text` in parameters: one line that says what it seems to say. */
const line = /^[^\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]{1,255}$/

const isLine = (value: unknown): value is string =>
  typeof value === 'string' && line.test(value) && value.isWellFormed() && value.trim() === value

const isList = (value: unknown): value is string[] =>
  Array.isArray(value) && value.length <= 50 && value.every(isLine) && new Set(value).size === value.length

const ofType: Readonly<Record<Attribute['type'], (value: unknown) => boolean>> = {
  text: isLine,
  number: (value) => Number.isFinite(value),
  boolean: (value) => typeof value === 'boolean',
  list: isList,
}

const typeInWords: Readonly<Record<Attribute['type'], string>> = {
  text: 'one line of 1 to 255 characters, without control characters or blanks around it',
  number: 'a number',
  boolean: 'true or false',
  list: 'at most 50 different lines of 1 to 255 characters',
}

/** Patterns that were compiled, by their text. Their number is that of the attributes. */
const compiled = new Map<string, (text: string) => boolean>()

/** RE2 takes linear time, whatever the pattern is. Loaded at the first use. Throws invalid_params. */
export const compile = async (pattern: string): Promise<(text: string) => boolean> => {
  const known = compiled.get(pattern)
  if (known) return known
  const { RE2JS, RE2JSSyntaxException } = await import('re2js')
  try {
    const expression = RE2JS.compile(pattern)
    const matches = (text: string) => expression.matcher(text).matches()
    if (compiled.size > 1000) compiled.clear()
    compiled.set(pattern, matches)
    return matches
  } catch (error) {
    if (!(error instanceof RE2JSSyntaxException)) throw error
    throw invalidParams(
      'pattern',
      'a regular expression of RE2, which has no look-around and no back-references',
    )
  }
}

const isZone = (value: string): boolean => {
  try {
    return /^[A-Z]/i.test(new Intl.DateTimeFormat('en', { timeZone: value }).resolvedOptions().timeZone)
  } catch {
    return false
  }
}

/** What is wrong with a value, as the allowed ones in words; undefined if nothing is. */
export const faultOf = async (
  { name, type, values, pattern }: Pick<Attribute, 'name' | 'type' | 'values' | 'pattern'>,
  value: unknown,
): Promise<string | undefined> => {
  if (!ofType[type](value)) return typeInWords[type]
  const items = [value].flat() as (string | number)[]
  if (values.length > 0 && !items.every((item) => values.includes(item))) return `of ${values.join(', ')}`
  if (name === 'zoneinfo' && !items.every((item) => isZone(String(item))))
    return 'a time zone such as Europe/Paris'
  if (pattern === null) return undefined
  const matches = await compile(pattern)
  return items.every((item) => matches(String(item))) ? undefined : `a text that matches ${pattern}`
}

/** Throws invalid_params if the value may not be one of the attribute. */
export const checkValue = async (attribute: Attribute, value: unknown): Promise<void> => {
  const allowed = await faultOf(attribute, value)
  if (allowed !== undefined) throw invalidParams(`attributes.${attribute.name}`, allowed)
}

/** What is invisible, or looks like another spelling of the same. */
const ignorable = /\p{Default_Ignorable_Code_Point}/gu

/** What no second person may have. Look-alikes by case, width or composition are the same: applications may fold them. */
export const uniqueKey = (value: AttributeValue): string =>
  String(value).normalize('NFKC').replaceAll(ignorable, '').toLowerCase()
