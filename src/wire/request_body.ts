import type { IncomingMessage, ServerResponse } from 'node:http'

/** Reads a body of at most `maxBytes`. Answers 413 to a larger one. Returns undefined then, and if the client aborts. */
export const readBody = async (
  request: IncomingMessage,
  response: ServerResponse,
  maxBytes = 1024 * 1024,
): Promise<Buffer | undefined> => {
  const refuse = () => {
    const text = JSON.stringify({ error: `the body must not be larger than ${maxBytes} bytes` })
    response.writeHead(413, { 'content-type': 'application/json', connection: 'close' })
    // The connection closes with this response; the edge drops what of the body still arrives.
    response.end(text)
    request.resume()
    return undefined
  }
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) return refuse()
  // The client waits for permission to send (RFC 9110 section 10.1.1).
  if (request.headers.expect !== undefined) response.writeContinue()
  const chunks: Buffer[] = []
  let length = 0
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      length += chunk.length
      if (length > maxBytes) return refuse()
      chunks.push(chunk)
    }
  } catch {
    return undefined
  }
  return Buffer.concat(chunks)
}
