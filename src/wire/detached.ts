/**
 * Copies latin1 text into memory of its own. In V8 a slice of a long string points into that string, so a few letters kept for
 * long would keep the whole head in memory.
 */
export const detached = (text: string): string => Buffer.from(text, 'latin1').toString('latin1')
