// A bare line server on the Unix socket argv[2] that answers every line with the line argv[3].
// With `parse` as argv[4] it parses each line as JSON and answers with its id, which is the minimum for a JSON-RPC server.
import { createServer } from 'node:net'

const [, , path, line = '', parse] = process.argv
const { result } = JSON.parse(line) as { result: unknown }
createServer((socket) => {
  let rest = ''
  socket.setEncoding('latin1')
  socket.on('error', () => socket.destroy())
  socket.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop()!
    let answers = ''
    for (const text of lines) {
      if (parse === undefined) answers += `${line}\n`
      else {
        const { id } = JSON.parse(text) as { id: number }
        answers += `${JSON.stringify({ jsonrpc: '2.0', id, result })}\n`
      }
    }
    socket.write(answers)
  })
}).listen(path)
