import { connect, type Socket } from 'node:net'
import type { Place } from './ask.ts'

const connections = 32
/** Seconds that answers may take after the last request was due. */
const patience = 5

/** Milliseconds, all counted from when a request was due, not from when a connection was free for it. */
export interface Latencies {
  readonly p50: number
  readonly p99: number
  readonly p999: number
  /** By how much the generator itself was late to see that a request was due, at the 99th percentile. */
  readonly late: number
  /** Answers a second. */
  readonly rate: number
}

const percentile = (sorted: Float64Array, part: number) =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]!

/** Requests at a fixed rate over kept connections, one at a time on each, whether or not earlier ones have been answered. */
class OpenLoop {
  readonly #request: string
  readonly #gap: number
  readonly #latencies: Float64Array
  readonly #lateness: Float64Array
  readonly #free: Socket[] = []
  readonly #sockets: Socket[] = []
  /** Which request each connection is busy with. */
  readonly #asked = new Map<Socket, number>()
  #began = 0
  #due = 0
  #sent = 0
  #answered = 0
  #size = 0
  #over = false
  readonly #settle: (error?: Error) => void

  constructor(request: string, rate: number, seconds: number, settle: (error?: Error) => void) {
    this.#request = request
    this.#gap = 1000 / rate
    const count = Math.round(rate * seconds)
    this.#latencies = new Float64Array(count)
    this.#lateness = new Float64Array(count)
    this.#settle = settle
  }

  begin(port: number): void {
    for (let i = 0; i < connections; i++) this.#open(port)
  }

  #opened(socket: Socket): void {
    this.#free.push(socket)
    if (this.#free.length < connections) return
    this.#began = performance.now()
    this.#turn()
  }

  #open(port: number): void {
    const socket = connect(port, '127.0.0.1', () => this.#opened(socket)).setNoDelay()
    this.#sockets.push(socket)
    let bytes = 0
    socket.on('data', (chunk: Buffer) => {
      // All answers are of one length, which the first one tells.
      if (this.#size === 0) this.#size = lengthOf(chunk)
      if (bytes === 0 && chunk.toString('latin1', 0, 13) !== 'HTTP/1.1 200 ')
        return this.#end(new Error(`answered ${chunk.toString('latin1', 0, 200)}`))
      bytes += chunk.length
      if (bytes < this.#size) return
      if (bytes > this.#size) return this.#end(new Error(`an answer of ${bytes} bytes, not ${this.#size}`))
      bytes = 0
      const index = this.#asked.get(socket)!
      this.#latencies[this.#answered++] = performance.now() - this.#began - index * this.#gap
      this.#free.push(socket)
      this.#send()
    })
    socket.on('error', (error) => this.#end(error))
    socket.on('close', () => this.#end(new Error('the server closed a connection')))
  }

  /** Looks at the clock again and again: timers are too coarse for some tens of microseconds. */
  readonly #turn = (): void => {
    if (this.#over) return
    const now = performance.now() - this.#began
    while (this.#due < this.#lateness.length && this.#due * this.#gap <= now) {
      this.#lateness[this.#due] = now - this.#due * this.#gap
      this.#due++
    }
    this.#send()
    const wanted = this.#latencies.length
    if (this.#answered === wanted) return this.#end()
    if (now > wanted * this.#gap + patience * 1000)
      return this.#end(new Error(`only ${this.#answered} of ${wanted} requests were answered`))
    setImmediate(this.#turn)
  }

  #send(): void {
    while (this.#sent < this.#due && this.#free.length > 0) {
      const socket = this.#free.pop()!
      this.#asked.set(socket, this.#sent++)
      socket.write(this.#request, 'latin1')
    }
  }

  #end(error?: Error): void {
    if (this.#over) return
    this.#over = true
    for (const socket of this.#sockets) socket.destroy()
    this.#settle(error)
  }

  latencies(): Latencies {
    const rate = (this.#answered * 1000) / (performance.now() - this.#began)
    const sorted = this.#latencies.sort()
    const [p50, p99, p999] = [0.5, 0.99, 0.999].map((part) => percentile(sorted, part))
    return { p50: p50!, p99: p99!, p999: p999!, late: percentile(this.#lateness.sort(), 0.99), rate }
  }
}

const lengthOf = (answer: Buffer) => {
  const text = answer.toString('latin1')
  const told = /\r\ncontent-length: *([0-9]+)/i.exec(text)?.[1]
  return text.indexOf('\r\n\r\n') + 4 + Number(told)
}

/** Asks at this rate for some seconds and tells how long the answers took. */
export const atRate = (place: Place, rate: number, seconds: number): Promise<Latencies> =>
  new Promise((resolve, reject) => {
    const { host, cookie, port } = place
    const request = `GET / HTTP/1.1\r\nHost: ${host}\r\nCookie: ${cookie}\r\n\r\n`
    const loop = new OpenLoop(request, rate, seconds, (error) =>
      error ? reject(error) : resolve(loop.latencies()),
    )
    loop.begin(port)
  })
