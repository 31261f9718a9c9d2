// Calls that are answered at once give nobody else a turn. These bound how much of the loop and of the memory one connection takes.

/** Milliseconds that the calls of a connection may take at a time. */
export const slice = 5
/** Characters of answers that wait for one write before no more calls are taken. */
export const maxOutgoing = 256 * 1024
