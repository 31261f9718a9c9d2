import type { TestContext } from 'node:test'

/** Stops the date for the rest of a test at a full minute to come, so that a limit per minute of the clock counts in one minute. */
export const stopAtFullMinute = (t: TestContext, minutesLater = 0): void =>
  t.mock.timers.enable({ apis: ['Date'], now: (Math.ceil(Date.now() / 60_000) + minutesLater) * 60_000 })
