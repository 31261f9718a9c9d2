/** A task that takes its thread with it. */
export default () => process.exit()
