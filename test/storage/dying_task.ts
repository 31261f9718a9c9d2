/** A task that ends its own thread. */
export default () => process.exit()
