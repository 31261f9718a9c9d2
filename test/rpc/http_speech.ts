import { connect } from 'node:net'

export interface Response {
  /** Status line and headers, without the value of Date. */
  readonly head: string
  readonly body: string
}

/** Returns the complete responses in these bytes; all of ours have a length or no body. */
export const responsesIn = (bytes: Buffer): Response[] => {
  const responses: Response[] = []
  let from = 0
  for (let end = bytes.indexOf('\r\n\r\n'); end >= 0; end = bytes.indexOf('\r\n\r\n', from)) {
    const head = bytes.toString('latin1', from, end)
    const length = Number(/^content-length: (\d+)$/im.exec(head)?.[1] ?? 0)
    const start = end + 4
    if (start + length > bytes.length) break
    from = start + length
    responses.push({
      head: head.replace(/^Date: .*$/m, 'Date:'),
      body: bytes.toString('utf8', start, from),
    })
  }
  return responses
}

/** Sends each piece in a separate packet, and waits for this many responses or for the end of the connection. */
export const exchange = (
  path: string,
  pieces: readonly (string | Buffer)[],
  count: number,
): Promise<Response[]> =>
  new Promise((resolve, reject) => {
    const socket = connect(path)
    const chunks: Buffer[] = []
    const finish = () => {
      socket.destroy()
      resolve(responsesIn(Buffer.concat(chunks)))
    }
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      if (responsesIn(Buffer.concat(chunks)).length >= count) finish()
    })
    socket.on('end', finish)
    socket.on('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EPIPE' || error.code === 'ECONNRESET' ? finish() : reject(error),
    )
    const rest = [...pieces]
    const next = () => {
      const piece = rest.shift()
      if (piece !== undefined) socket.write(piece, () => setTimeout(next, 5))
    }
    next()
  })

/** Returns a plain call with these headers besides Host and Content-Length. */
export const postOf = (body: string | Buffer, headers: readonly string[] = []): Buffer => {
  const more = headers.map((header) => `${header}\r\n`).join('')
  const head = `POST /rpc HTTP/1.1\r\nHost: localhost\r\n${more}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n`
  return Buffer.concat([Buffer.from(head, 'latin1'), Buffer.from(body as string)])
}
