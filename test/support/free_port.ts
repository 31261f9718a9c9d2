import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

/**
 * Below the range from which the system itself takes ports, on Linux from 32,768: so no other test file, which listens
 * on port 0 or connects from anywhere, gets the port before it is used here.
 */
const [lowest, end] = [20_000, 32_000]

const given = new Set<number>()

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer()
    server.on('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })

/** A port that nobody listens on, for an address that must be known before the start. */
export const freePort = async (): Promise<number> => {
  for (;;) {
    const port = randomInt(lowest, end)
    if (given.has(port)) continue
    given.add(port)
    if (await isFree(port)) return port
  }
}
