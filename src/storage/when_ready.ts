/**
 * Calls `go` with a value that may be a promise. A value that is ready is used at once: no promise, no turn of the
 * event loop.
 */
export const whenReady = <A, B>(value: A | Promise<A>, go: (value: A) => B | Promise<B>): B | Promise<B> =>
  value instanceof Promise ? value.then(go) : go(value)
