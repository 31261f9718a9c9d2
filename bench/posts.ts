import { connect } from 'node:net'
import type { Running } from './processes.ts'
import type { Measured } from './round.ts'

const seconds = 2

/** A form from a program that authenticates with its secret in the header. */
export const formPost = (
  path: string,
  port: number,
  client: string,
  secret: string,
  fields: Record<string, string>,
): Buffer => {
  const body = new URLSearchParams(fields).toString()
  const basic = Buffer.from(`${client}:${secret}`).toString('base64')
  return Buffer.from(
    `POST ${path} HTTP/1.1\r\nHost: localhost:${port}\r\nAuthorization: Basic ${basic}\r\n` +
      `Content-Type: application/x-www-form-urlencoded\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  )
}

/** The end of the first response in these bytes, or undefined until it is complete. */
const endOf = (bytes: Buffer): number | undefined => {
  const head = bytes.indexOf('\r\n\r\n')
  if (head < 0) return undefined
  const length = /\r\ncontent-length: *(\d+)/i.exec(bytes.toString('latin1', 0, head + 2))?.[1]
  if (length === undefined) throw new Error(`an answer without a length: ${bytes.toString()}`)
  const end = head + 4 + Number(length)
  return bytes.length >= end ? end : undefined
}

interface Posts {
  readonly port: number
  readonly server: Running
  /** Sent in turn. */
  readonly requests: readonly Buffer[]
  readonly connections?: number
  /** Text that every response must contain. Any other response ends the measurement. */
  readonly expect: string
}

/** Two seconds of posts over keep-alive connections, one at a time on each. `cpu` is the processor time of the server for one, in microseconds. */
export const post = async ({
  port,
  server,
  requests,
  connections = 16,
  expect,
}: Posts): Promise<Measured> => {
  const until = performance.now() + seconds * 1000
  const [before, began] = [server.cpu(), performance.now()]
  let answered = 0
  let next = 0
  const one = () =>
    new Promise<void>((resolve, reject) => {
      const send = () => void socket.write(requests[next++ % requests.length]!)
      const socket = connect(port, '127.0.0.1', send).setNoDelay(true)
      let bytes: Buffer = Buffer.alloc(0)
      socket.on('data', (chunk: Buffer) => {
        bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk])
        const end = endOf(bytes)
        if (end === undefined) return
        if (!bytes.includes(expect)) return reject(new Error(`answered: ${bytes.toString()}`))
        bytes = bytes.subarray(end)
        answered++
        if (performance.now() < until) return send()
        socket.destroy()
        resolve()
      })
      socket.on('error', reject)
    })
  await Promise.all(Array.from({ length: connections }, one))
  return {
    rate: (answered * 1000) / (performance.now() - began),
    cpu: (server.cpu() - before) / answered,
  }
}
