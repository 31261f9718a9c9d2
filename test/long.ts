/** Whether the long forms of tests run, which take minutes: `TEST_LONG=1 npm test`. */
export const long = process.env.TEST_LONG === '1'

/** Why a test that runs only in the long form does not run now. */
export const unlessLong = long ? false : 'TEST_LONG is not set'
