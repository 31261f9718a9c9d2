import { request } from 'node:http'
import { request as secureRequest } from 'node:https'

/** Where a signed-in user sends requests. */
export interface Place {
  readonly port: number
  readonly host: string
  readonly cookie: string
  /** Whether it speaks TLS. */
  readonly secure?: boolean
}

export interface Answer {
  readonly status: number
  readonly rawHeaders: readonly string[]
  readonly body: string
}

export interface Ask {
  readonly method?: string
  /** A flat list of names and values. Default: Host and Cookie. */
  readonly headers?: readonly string[]
  readonly body?: string
}

/** Sends one request over a new connection, to a place or to a Unix socket. */
export const askOnce = (at: Place | string, path: string, asking: Ask = {}): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const { method = 'GET', body } = asking
    const known = typeof at === 'string' ? ['Host', 'upstream'] : ['Host', at.host, 'Cookie', at.cookie]
    const headers = [...(asking.headers ?? known)]
    const where = typeof at === 'string' ? { socketPath: at } : { host: '127.0.0.1', port: at.port }
    const tls =
      typeof at !== 'string' && at.secure
        ? { servername: at.host.replace(/:.*/, ''), rejectUnauthorized: false }
        : undefined
    const asked = (tls ? secureRequest : request)(
      { ...where, ...tls, path, method, headers, agent: false, setHost: false } as object,
      (response) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (chunk: string) => (text += chunk))
        response.on('end', () =>
          resolve({ status: response.statusCode!, rawHeaders: response.rawHeaders, body: text }),
        )
      },
    )
    asked.on('error', reject)
    asked.end(body)
  })
