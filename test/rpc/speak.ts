import { request, type IncomingHttpHeaders } from 'node:http'
import { connect } from 'node:net'

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

interface Post {
  readonly path?: string
  readonly method?: string
  /** A flat list preserves case and repetition. */
  readonly headers?: readonly string[]
}

/** Sends an HTTP request to rpc.sock on its own connection. */
export const post = (
  socketPath: string,
  body: string | Buffer,
  { path = '/rpc', method = 'POST', headers = [] }: Post = {},
): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const framing = method === 'POST' ? ['Content-Length', String(Buffer.byteLength(body))] : []
    const onward = request({
      socketPath,
      path,
      method,
      agent: false,
      headers: ['Host', 'localhost', ...headers, ...framing] as unknown as Record<string, string>,
    })
    let answered = false
    // A server that refuses a long body stops reading, so writing after its answer may fail.
    onward.on('error', (error) => answered || reject(error))
    onward.on('response', (response) => {
      answered = true
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (text += chunk))
      response.on('error', reject)
      response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, text }))
    })
    onward.end(body)
  })

/** Sends each piece in a separate packet, and returns what is received until the other side closes. */
export const speak = (socketPath: string, ...pieces: (string | Buffer)[]): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect({ path: socketPath, allowHalfOpen: true })
    let text = ''
    socket.setEncoding('utf8')
    socket.on('data', (chunk: string) => (text += chunk))
    // The daemon may close while we still write; its earlier answer counts.
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE' && error.code !== 'ECONNRESET') reject(error)
    })
    socket.on('close', () => resolve(text))
    socket.on('end', () => socket.end())
    const next = () => {
      const piece = pieces.shift()
      if (piece === undefined) socket.end()
      else socket.write(piece, () => setTimeout(next, pieces.length > 0 ? 5 : 0))
    }
    socket.on('connect', next)
  })

export interface Reply {
  readonly jsonrpc: string
  readonly id: string | number | null
  readonly result?: unknown
  readonly error?: {
    readonly code: number
    readonly message: string
    readonly data: Readonly<Record<string, unknown>> & { readonly code: string }
  }
}

/** Sends these messages as raw lines in one packet, and returns each answer line. */
export const speakLines = async (
  socketPath: string,
  ...messages: readonly (string | object)[]
): Promise<(Reply | Reply[])[]> => {
  const lines = messages.map((message) => (typeof message === 'string' ? message : JSON.stringify(message)))
  const text = await speak(socketPath, `${lines.join('\n')}\n`)
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Reply | Reply[])
}

/** Makes one call as a raw line, and returns its answer. */
export const callLine = async (
  socketPath: string,
  method: string,
  params: unknown = {},
  more: object = {},
): Promise<Reply> => {
  const [reply] = await speakLines(socketPath, { jsonrpc: '2.0', id: 1, method, params, ...more })
  return reply as Reply
}

/** Makes one call over HTTP, and returns its answer. */
export const callHttp = async (
  socketPath: string,
  method: string,
  params: unknown = {},
  headers: readonly string[] = [],
  more: object = {},
): Promise<Reply> => {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params, ...more })
  return JSON.parse((await post(socketPath, body, { headers })).text) as Reply
}
