import type { Socket } from 'node:net'
import type { Envelope, Identify } from './envelope.ts'

const newline = 0x0a
const maxLine = 1024 * 1024
/** How many calls of one connection may be on their way before we stop reading from it. */
const maxInFlight = 512

const isBlank = (line: Buffer) => line.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d)

const tooLong =
  '{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"Invalid Request: a line holds 1 MiB at most","data":{"code":"invalid_request"}}}\n'

/**
 * Speaks newline-delimited JSON-RPC on a connection: one message a line, answers in the order they are ready.
 * Returns what ends it: calls under way are still answered.
 */
export const serveLines = (socket: Socket, envelope: Envelope, identify: Identify): (() => void) => {
  let rest: Buffer[] = []
  let restLength = 0
  let inFlight = 0
  let ending = false
  let outgoing = ''
  let flushing = false

  const flush = () => {
    flushing = false
    if (outgoing !== '' && socket.writable) socket.write(outgoing)
    outgoing = ''
    if (ending && inFlight === 0) socket.end()
    else if (inFlight < maxInFlight && !socket.writableNeedDrain) socket.resume()
  }
  const flushSoon = () => {
    // Answers that are ready in the same turn leave in one write.
    if (!flushing) setImmediate(flush)
    flushing = true
  }
  const take = async (line: Buffer) => {
    if (isBlank(line)) return
    inFlight++
    const text = await envelope.receive(line, identify)
    inFlight--
    if (text !== undefined) outgoing += `${text}\n`
    flushSoon()
  }
  const end = () => {
    ending = true
    flushSoon()
  }

  socket.on('data', (chunk: Buffer) => {
    if (ending) return
    let from = 0
    for (let to = chunk.indexOf(newline); to >= 0; to = chunk.indexOf(newline, from)) {
      const piece = chunk.subarray(from, to)
      if (restLength + piece.length > maxLine) break
      void take(rest.length === 0 ? piece : Buffer.concat([...rest, piece]))
      rest = []
      restLength = 0
      from = to + 1
    }
    const left = chunk.subarray(from)
    if (left.length > 0) rest.push(left)
    restLength += left.length
    if (restLength > maxLine) {
      outgoing += tooLong
      end()
    } else if (inFlight >= maxInFlight || socket.writableNeedDrain) {
      socket.pause()
    }
  })
  socket.on('drain', flush)
  socket.on('end', () => {
    // The last line may lack its newline: `printf … | nc -U`.
    if (restLength > 0 && !ending) void take(Buffer.concat(rest))
    end()
  })
  return end
}
