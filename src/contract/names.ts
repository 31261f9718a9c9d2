/**
 * What no name holds: control characters and line breaks, and everything that is invisible or turns the direction of text,
 * because it makes a name look like something else. Written for a character class with the flag `u`.
 */
const refused = String.raw`\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800`

const maxCharacters = 80

/** A name has a letter or digit that can be seen, and nothing else that cannot. */
export const namePattern = String.raw`^(?=.*[\p{L}\p{N}])[^${refused}]*$`

const whole = new RegExp(namePattern, 'u')
const single = new RegExp(`[${refused}]`, 'gu')

export const isName = (value: unknown): value is string =>
  typeof value === 'string' && whole.test(value) && [...value].length <= maxCharacters

/** A name that an earlier version stored, with what it may not hold as U+FFFD. */
export const shownName = (stored: string): string => stored.replaceAll(single, '\ufffd')

/** Makes a name of text from elsewhere, such as a provider; empty if nothing is left that can be seen. */
export const nameFrom = (text: string): string => {
  const visible = text.replaceAll(single, ' ').replaceAll(/\s+/gu, ' ').trim()
  const cut = [...visible].slice(0, maxCharacters).join('').trim()
  return isName(cut) ? cut : ''
}
