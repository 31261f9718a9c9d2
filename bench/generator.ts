// Sends requests at a fixed rate over keep-alive connections and prints latencies: node bench/generator.ts PORT RATE SECONDS REQUEST.
// Requests are due at fixed times, whether or not earlier ones have been answered, and each latency counts from the time when
// the request was due (no coordinated omission).
// A separate process with its own loop on ppoll, because Node's event loop sleeps in steps of a millisecond.
import { loadLibc } from './libc.ts'

const connections = 32
/** Seconds before the measurement in which requests do not count, so that V8 can compile the loop. */
const warmUp = 1
/** How long responses may take after the last request was due. */
const drainSeconds = 5
/** The loop wakes up this many milliseconds before a request is due, and then polls: a sleep ends about 20 µs late. */
const early = 0.03

const [afInet, sockStream, dontWait, pollIn, timerSlack] = [2, 1, 0x40, 1, 29]
const [, , port, wantedRate, seconds, request] = process.argv
const libc = loadLibc()
libc.prctl(timerSlack, 1, 0, 0, 0)

/** Prints the error instead of the figures. The caller includes it in its own error. */
const fail = (message: string): never => {
  console.log(message)
  process.exit(1)
}

const open = (): number => {
  const address = Buffer.alloc(16)
  address.writeUInt16LE(afInet, 0)
  address.writeUInt16BE(Number(port), 2)
  address.set([127, 0, 0, 1], 4)
  const fd = libc.socket(afInet, sockStream, 0)
  if (fd < 0 || libc.connect(fd, address, address.length) < 0) fail(`no connection to port ${port}`)
  return fd
}

const bytes = Buffer.from(request!, 'latin1')
const received = Buffer.alloc(64 * 1024)

const send = (fd: number): void => {
  if (libc.send(fd, bytes, bytes.length, dontWait) !== bytes.length) fail('a connection took no request')
}

/** Sends one request and returns the length that every response has. */
const learn = (fd: number): number => {
  send(fd)
  let text = ''
  for (;;) {
    const count = libc.recv(fd, received, received.length, 0)
    if (count <= 0) fail('the server closed a connection')
    text += received.toString('latin1', 0, count)
    const end = text.indexOf('\r\n\r\n') + 4
    const length = /\r\ncontent-length: *([0-9]+)/i.exec(text.slice(0, end))?.[1]
    if (end > 3 && length === undefined) fail(`an answer without Content-Length: ${text.slice(0, 500)}`)
    if (end > 3 && text.length >= end + Number(length)) {
      if (!text.startsWith('HTTP/1.1 200 ')) fail(`answered ${text.slice(0, 500)}`)
      return text.length
    }
  }
}

const fds = Array.from({ length: connections }, open)
const size = learn(fds[0]!)

const gap = 1000 / Number(wantedRate)
const skipped = Math.round(warmUp * Number(wantedRate))
const count = skipped + Math.round(Number(seconds) * Number(wantedRate))
const latencies = new Float64Array(count)
const lateness = new Float64Array(count)

const polled = new Int32Array(2 * connections)
const events = new Int16Array(polled.buffer)
const polledBytes = new Uint8Array(polled.buffer)
for (const [i, fd] of fds.entries()) {
  polled[2 * i] = fd
  events[4 * i + 2] = pollIn
}
const timeout = new BigInt64Array(2)

/** Connections without a request, by index, as a stack. */
const free = new Int32Array(connections).map((_, i) => i)
let freeCount = connections
/** The request of each connection, and how much of its response has arrived. */
const carried = new Int32Array(connections)
const arrived = new Int32Array(connections)

const began = performance.now() + 1
let [due, sent, answered] = [0, 0, 0]
/** Milliseconds of the measurement in which the loop slept or found nothing to do. */
let idle = 0

const receive = (i: number): void => {
  const got = libc.recv(fds[i]!, received, received.length, dontWait)
  if (got <= 0) fail('the server closed a connection')
  // The status of `HTTP/1.1 200 OK`. A response that is cut before it is noticed by its wrong length.
  if (arrived[i] === 0 && got > 12 && received.toString('latin1', 9, 12) !== '200')
    fail(`answered ${received.toString('latin1', 0, Math.min(got, 200))}`)
  arrived[i] = arrived[i]! + got
  if (arrived[i]! < size) return
  if (arrived[i]! > size) fail(`an answer of ${arrived[i]} bytes, not ${size}`)
  arrived[i] = 0
  latencies[carried[i]!] = performance.now() - began - carried[i]! * gap
  answered++
  free[freeCount++] = i
}

/** Sleeps until something arrives or shortly before the next request is due, then takes what has arrived. */
const takeAnswers = (): void => {
  const before = performance.now()
  const left = due < count ? began + due * gap - before - early : drainSeconds * 1000
  const nanoseconds = Math.max(0, Math.round(left * 1e6))
  timeout[0] = BigInt(Math.floor(nanoseconds / 1e9))
  timeout[1] = BigInt(nanoseconds % 1e9)
  let ready = libc.ppoll(polledBytes, connections, timeout, null)
  // The upstream shares this core.
  if (ready === 0) libc.sched_yield()
  if ((ready === 0 || left > 0) && due > skipped) idle += performance.now() - before
  for (let i = 0; i < connections && ready > 0; i++) {
    if (events[4 * i + 3] === 0) continue
    ready--
    receive(i)
  }
}

for (;;) {
  const now = performance.now() - began
  for (; due < count && due * gap <= now; due++) lateness[due] = now - due * gap
  while (sent < due && freeCount > 0) {
    const i = free[--freeCount]!
    carried[i] = sent++
    send(fds[i]!)
  }
  if (now > count * gap + drainSeconds * 1000) fail(`only ${answered} of ${count} requests were answered`)
  takeAnswers()
  if (answered === count) break
}
const took = performance.now() - began - skipped * gap

const percentile = (sorted: Float64Array, part: number) =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]!
const sorted = latencies.subarray(skipped).sort()
const [p50, p99, p999] = [0.5, 0.99, 0.999].map((part) => percentile(sorted, part))
const late = percentile(lateness.subarray(skipped).sort(), 0.99)
const rate = ((count - skipped) * 1000) / took
console.log(JSON.stringify({ p50, p99, p999, late, rate, busy: 100 - (100 * idle) / took }))
