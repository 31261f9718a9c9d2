/**
 * node:http without its ES module wrapper: creating the wrapper reads every export, one of which loads a whole client
 * library that we never use: 50 ms and 6 MB at every start.
 */
export const http = process.getBuiltinModule('node:http')
