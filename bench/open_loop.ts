import { join } from 'node:path'
import type { Place } from './ask.ts'
import { output } from './processes.ts'

/** Milliseconds, all counted from when a request was due, not from when a connection was free for it. */
export interface Latencies {
  readonly p50: number
  readonly p99: number
  readonly p999: number
  /** By how much the generator itself noticed late that a request was due, at the 99th percentile. */
  readonly late: number
  /** Answers a second. */
  readonly rate: number
  /** The share of its time in percent in which the generator had something to do. */
  readonly busy: number
}

const script = join(import.meta.dirname, 'generator.ts')

/** Asks at this rate for some seconds and returns how long the answers took. */
export const atRate = async (place: Place, rate: number, seconds: number): Promise<Latencies> => {
  const { host, cookie, port } = place
  const request = `GET / HTTP/1.1\r\nHost: ${host}\r\nCookie: ${cookie}\r\n\r\n`
  const text = await output(process.execPath, [script, String(port), String(rate), String(seconds), request])
  return JSON.parse(text) as Latencies
}
