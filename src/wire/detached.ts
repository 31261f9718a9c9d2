/**
 * The same latin1 text in memory of its own. V8 makes a slice of a long string by pointing into it, so a few letters that are kept for long
 * would keep the whole head that they came in.
 */
export const detached = (text: string): string => Buffer.from(text, 'latin1').toString('latin1')
