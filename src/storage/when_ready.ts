/** Goes on with a value that may still be on its way. What is there already is used at once: no promise, no turn of the loop. */
export const whenReady = <A, B>(value: A | Promise<A>, go: (value: A) => B | Promise<B>): B | Promise<B> =>
  value instanceof Promise ? value.then(go) : go(value)
