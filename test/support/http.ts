import { request, type IncomingHttpHeaders } from 'node:http'
import { request as secureRequest } from 'node:https'
import { connect } from 'node:net'
import type { TestDaemon } from './daemon.ts'

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly rawHeaders: string[]
  readonly body: string
}

interface Ask {
  readonly method?: string
  /** A flat list keeps order, case and repetition. */
  readonly headers?: readonly string[]
  readonly body?: string | Buffer
}

/** The address of the edge, and whether it uses TLS. */
export type Door = Pick<TestDaemon, 'edge'> & { readonly config?: Pick<TestDaemon['config'], 'tls_cert'> }

/** Sends one request to the edge under a host name, over a connection of its own. */
export const ask = (
  daemon: Door,
  host: string,
  path: string,
  { method = 'GET', headers = [], body }: Ask = {},
): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const framing = body === undefined ? [] : ['Content-Length', String(Buffer.byteLength(body))]
    const secure = (daemon.config?.tls_cert.length ?? 0) > 0
    const onward = (secure ? secureRequest : request)({
      ...(secure && { servername: host.replace(/:.*/, ''), rejectUnauthorized: false }),
      host: '127.0.0.1',
      port: daemon.edge.port,
      method,
      path,
      agent: false,
      setHost: false,
      headers: ['Host', host, ...headers, ...framing] as unknown as Record<string, string>,
    })
    onward.on('error', reject)
    onward.on('response', (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (text += chunk))
      response.on('error', reject)
      response.on('end', () =>
        resolve({
          status: response.statusCode!,
          headers: response.headers,
          rawHeaders: response.rawHeaders,
          body: text,
        }),
      )
    })
    onward.end(body)
  })

const turnMs = 10

/**
 * Sends exactly these bytes. Returns the response, until the edge closes or nothing comes for `quiet` milliseconds. They are
 * counted in turns of the event loop, which edge, client and service share: a process that has to wait for the processor has
 * not been quiet.
 */
export const askRaw = (
  daemon: Pick<TestDaemon, 'edge'>,
  bytes: string | Buffer,
  quiet = 400,
): Promise<string> =>
  new Promise((resolve) => {
    const socket = connect(daemon.edge.port, '127.0.0.1')
    let text = ''
    let turns = 0
    const timer = setInterval(() => {
      if (++turns * turnMs >= quiet) socket.destroy()
    }, turnMs)
    socket.setEncoding('latin1')
    socket.on('data', (chunk: string) => {
      text += chunk
      turns = 0
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      clearInterval(timer)
      resolve(text)
    })
    socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
  })

const cookieOf = (setCookie: readonly string[] | undefined, part: string) =>
  setCookie?.find((line) => line.includes(part))?.split(';')[0]

/** Where people sign in. */
const homeHost = 'localhost'

/**
 * Signs in at home, as a browser would, and returns the Cookie header of the session there. For the host of a service, it goes on
 * through the handover and returns the cookie of that host, whose route must take sessions.
 */
export const signIn = async (door: Door, host: string, login: string, password: string): Promise<string> => {
  const isHome = host.replace(/:\d+$/, '') === homeHost
  const session = await signInAtHome(door, isHome ? host : homeHost, login, password)
  return isHome ? session : arriveAt(door, host, session)
}

const signInAtHome = async (door: Door, home: string, login: string, password: string): Promise<string> => {
  const page = await ask(door, home, '/auth/login', { headers: ['Accept', 'text/html'] })
  const formCookie = cookieOf(page.headers['set-cookie'], 'form')!
  const token = /name="form_token" value="([^"]+)"/.exec(page.body)![1]!
  const answer = await ask(door, home, '/auth/login', {
    method: 'POST',
    headers: [
      'Content-Type',
      'application/x-www-form-urlencoded',
      'Cookie',
      formCookie,
      'Accept',
      'text/html',
    ],
    body: new URLSearchParams({ form_token: token, login, password, return_to: '/' }).toString(),
  })
  const session = cookieOf(answer.headers['set-cookie'], 'session')
  if (answer.status !== 303 || session === undefined)
    throw new Error(`sign-in answered ${answer.status}: ${answer.body}`)
  return session
}

/** Goes from home to the host of a service with a session of home, step by step. Returns the cookie of that host. */
export const arriveAt = async (door: Door, host: string, session: string): Promise<string> => {
  const open = async (at: string, path: string, cookie: string[]): Promise<Answer> => {
    const answer = await ask(door, at, path, { headers: ['Accept', 'text/html', ...cookie] })
    if (answer.headers.location === undefined)
      throw new Error(`${at}${path} answered ${answer.status}: ${answer.body}`)
    return answer
  }
  const pathOf = ({ headers: { location } }: Answer) => {
    const { pathname, search } = new URL(location!)
    return pathname + search
  }
  const left = await open(host, '/.hero_proxy/sign_in', [])
  const arrival = cookieOf(left.headers['set-cookie'], 'arrival')!
  const sent = await open(homeHost, pathOf(left), ['Cookie', session])
  const arrived = await open(host, pathOf(sent), ['Cookie', arrival])
  const child = cookieOf(arrived.headers['set-cookie'], 'session')
  if (child === undefined)
    throw new Error(`the arrival set no cookie and leads to ${arrived.headers.location}`)
  return child
}
