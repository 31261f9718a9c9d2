/** Whether the long forms of tests run, which take minutes: `TEST_LONG=1 npm test`. */
export const long = process.env.TEST_LONG === '1'
