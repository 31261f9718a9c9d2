import { join } from 'node:path'
import type { Place } from './ask.ts'
import { output } from './processes.ts'

/** In milliseconds, counted from when a request was due, not from when a connection was free for it. */
export interface Latencies {
  readonly p50: number
  readonly p99: number
  readonly p999: number
  /** How late the generator itself noticed that a request was due, at the 99th percentile. */
  readonly late: number
  /** Responses per second. */
  readonly rate: number
  /** The percentage of time in which the generator was busy. */
  readonly busy: number
}

const script = join(import.meta.dirname, 'generator.ts')

/** Sends requests at this rate for some seconds and returns the latencies. */
export const atRate = async (place: Place, rate: number, seconds: number): Promise<Latencies> => {
  const { host, cookie, port } = place
  const request = `GET / HTTP/1.1\r\nHost: ${host}\r\nCookie: ${cookie}\r\n\r\n`
  const text = await output(process.execPath, [script, String(port), String(rate), String(seconds), request])
  return JSON.parse(text) as Latencies
}
