// Calls that are answered synchronously block all others. These limits bound the time and memory that one connection takes.

/** The time that the calls of one connection may take before others get a turn. */
export const sliceMs = 5
/** Characters of unwritten responses at which no more calls are served. */
export const maxOutgoingCharacters = 256 * 1024
