// Reads and drops the bodies of POSTs on the Unix socket argv[2], and answers each with 204 when it is complete.
// Like a slow application, it pauses after the head for the number of milliseconds in the header X-Rest.
// Every request must have a Content-Length.
import { createServer, type Socket } from 'node:net'

const numberOf = (head: string, name: string) =>
  Number(new RegExp(`^${name}: *([0-9]+)`, 'im').exec(head)?.[1] ?? 0)

const serve = (socket: Socket) => {
  let held: Buffer = Buffer.alloc(0)
  let left = 0
  const take = (bytes: Buffer): void => {
    if (left === 0) {
      held = held.length > 0 ? Buffer.concat([held, bytes]) : bytes
      const end = held.indexOf('\r\n\r\n')
      if (end < 0) return
      const head = held.toString('latin1', 0, end)
      const body = held.subarray(end + 4)
      held = Buffer.alloc(0)
      left = numberOf(head, 'content-length')
      const rest = numberOf(head, 'x-rest')
      if (rest > 0) {
        socket.pause()
        setTimeout(() => socket.resume(), rest)
      }
      if (body.length > 0) take(body)
      return
    }
    left -= bytes.length
    if (left < 0) socket.destroy()
    if (left === 0) socket.write('HTTP/1.1 204 No Content\r\n\r\n')
  }
  socket.on('data', take)
  socket.on('error', () => socket.destroy())
}
createServer(serve).listen(process.argv[2])
