import { connect } from 'node:net'
import type { Place } from './ask.ts'

const block = Buffer.alloc(256 * 1024, 'x')
const headLimit = 16 * 1024

const requestHead = ({ host, cookie }: Place, line: string, more: string) =>
  `${line} HTTP/1.1\r\nHost: ${host}\r\nCookie: ${cookie}\r\nConnection: close\r\n${more}\r\n`

/** Fetches a body of exactly `size` bytes and drops it. Pauses for `rest` milliseconds after the first bytes. */
export const download = (place: Place, size: number, rest = 0): Promise<void> =>
  new Promise((resolve, reject) => {
    let head = ''
    let bytes = -1
    const begin = (chunk: Buffer) => {
      head += chunk.toString('latin1')
      const end = head.indexOf('\r\n\r\n')
      if (end < 0 && head.length < headLimit) return
      if (!head.startsWith('HTTP/1.1 200 '))
        return socket.destroy(new Error(`download: ${head.slice(0, 500)}`))
      bytes = head.length - end - 4
      if (rest === 0) return
      socket.pause()
      setTimeout(() => socket.resume(), rest)
    }
    // One buffer for everything that arrives keeps the cost of the receiver low.
    const onread = {
      buffer: Buffer.alloc(block.length),
      callback: (count: number, chunk: Uint8Array) => {
        if (bytes < 0) begin(Buffer.from(chunk.buffer, chunk.byteOffset, count))
        else bytes += count
        if (bytes >= size) socket.end()
        return true
      },
    }
    const socket = connect({ host: '127.0.0.1', port: place.port, onread })
    socket.on('error', reject)
    socket.on('close', () => {
      if (bytes === size) resolve()
      else reject(new Error(`download: ${bytes} bytes came of ${size}`))
    })
    socket.write(requestHead(place, 'GET /', ''))
  })

/** Sends a body of `size` bytes, a multiple of the block size, to the sink, which pauses for `rest` milliseconds before it reads. */
export const upload = (place: Place, size: number, rest = 0): Promise<void> =>
  new Promise((resolve, reject) => {
    const socket = connect(place.port, '127.0.0.1')
    let left = size
    let answer = ''
    const send = () => {
      while (left > 0) {
        left -= block.length
        if (!socket.write(block)) return
      }
    }
    socket.on('drain', send)
    socket.on('error', reject)
    socket.on('data', (bytes: Buffer) => {
      answer += bytes.toString('latin1')
      if (answer.includes('\r\n\r\n')) socket.end()
    })
    socket.on('close', () => {
      if (answer.startsWith('HTTP/1.1 204 ') && left <= 0) resolve()
      else
        reject(new Error(`upload: ${left} bytes were left to send, the answer was ${answer.slice(0, 500)}`))
    })
    const origin = `Origin: http://${place.host}:${place.port}\r\n`
    socket.write(requestHead(place, 'POST /sink', `Content-Length: ${size}\r\nX-Rest: ${rest}\r\n${origin}`))
    send()
  })
