import type { IncomingMessage, ServerResponse } from 'node:http'

/** Reads a body of at most `most` bytes. A larger one is answered 413 without being read; then, and on an abort, undefined. */
export const readBody = async (
  request: IncomingMessage,
  response: ServerResponse,
  most = 1024 * 1024,
): Promise<Buffer | undefined> => {
  const refuse = () => {
    const text = JSON.stringify({ error: `a body holds ${most} bytes at most` })
    response.writeHead(413, { 'content-type': 'application/json', connection: 'close' })
    // What is still on its way is dropped with the connection, after the answer had time to arrive.
    response.end(text, () => setTimeout(() => request.socket.destroy(), 100).unref())
    request.resume()
    return undefined
  }
  if (Number(request.headers['content-length'] ?? 0) > most) return refuse()
  // The client asks before it sends (RFC 9110 section 10.1.1).
  if (request.headers.expect !== undefined) response.writeContinue()
  const chunks: Buffer[] = []
  let length = 0
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      length += chunk.length
      if (length > most) return refuse()
      chunks.push(chunk)
    }
  } catch {
    return undefined
  }
  return Buffer.concat(chunks)
}
