import { connect } from 'node:net'
import type { Running } from './processes.ts'
import type { Measured } from './round.ts'

const seconds = 2

/** One connection to a Unix socket where every request gets the same response. It only counts bytes. */
export class Load {
  readonly #path: string
  readonly #request: string
  #answer = Buffer.alloc(0)

  constructor(path: string, request: string) {
    this.#path = path
    this.#request = request
  }

  /** Sends one request, and expects the same response from then on. */
  async learn(complete: (text: string) => boolean): Promise<string> {
    const socket = connect(this.#path)
    socket.write(this.#request)
    const parts: Buffer[] = []
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      parts.push(chunk)
      if (complete(Buffer.concat(parts).toString())) break
    }
    socket.destroy()
    this.#answer = Buffer.concat(parts)
    return this.#answer.toString()
  }

  /** Returns the responses per second, with `inFlight` requests in progress all the time. */
  run(inFlight: number): Promise<number> {
    const size = this.#answer.length
    const batch = Buffer.from(this.#request.repeat(inFlight))
    const requestBytes = batch.length / inFlight
    return new Promise((resolve, reject) => {
      const socket = connect(this.#path, () => socket.write(batch))
      const began = performance.now()
      let bytes = 0
      let answered = 0
      let last: Buffer
      let over = false
      socket.on('data', (chunk: Buffer) => {
        bytes += chunk.length
        last = chunk
        const whole = Math.floor(bytes / size)
        if (!over) socket.write(batch.subarray(0, (whole - answered) * requestBytes))
        answered = whole
        if (over && bytes >= sent * size) finish()
      })
      socket.on('error', reject)
      let sent = 0
      let rate = 0
      setTimeout(() => {
        rate = (answered * 1000) / (performance.now() - began)
        sent = answered + inFlight
        over = true
      }, seconds * 1000)
      const finish = () => {
        socket.destroy()
        // A response of another length would shift the end of the last one.
        const end = this.#answer.subarray(-Math.min(size, last.length, 30))
        if (bytes === sent * size && last.subarray(-end.length).equals(end)) resolve(rate)
        else reject(new Error(`answers changed on the way: ${last.toString().slice(-200)}`))
      }
    })
  }
}

/** One turn of calls, with so many in flight: their rate, and what they cost server and generator. */
export const measureCalls = async (server: Running, load: Load, inFlight: number): Promise<Measured> => {
  const own = () => process.cpuUsage().user + process.cpuUsage().system
  const counts = () => [server.cpu(), own(), performance.now() * 1000]
  const before = counts()
  const rate = await load.run(inFlight)
  const [cpu, generated, elapsed] = counts().map((count, i) => count - before[i]!)
  const calls = (rate * elapsed!) / 1_000_000
  return {
    rate,
    cpu: cpu! / calls,
    served: (100 * cpu!) / elapsed!,
    generated: (100 * generated!) / elapsed!,
    upstream: 0,
  }
}
