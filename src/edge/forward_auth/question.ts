import { isIP } from 'node:net'
import { isRequestError, parseTarget, type EdgeRequest, type RequestError } from '../../wire/request.ts'
import { DecidingHeaders, type DecidingName } from '../../wire/deciding_headers.ts'
import type { ReceivedRequest } from '../../wire/client_response.ts'
import { forwardAuthPath } from '../../wire/forward_auth_path.ts'

/** True where the path asked about stands behind ours, and not in a header. */
export const asksByPath = ({ path }: EdgeRequest): boolean => path !== forwardAuthPath

type Fact = 'method' | 'scheme' | 'host' | 'path' | 'client'
type Facts = Partial<Record<Fact, string>>
/** A header, how messages write it, and the facts that it states. */
type Statement = readonly [name: DecidingName, text: string, state: Fact | ((value: string) => Facts)]

const ofUrl = (url: string): Facts => {
  const [, scheme = '', host = '', path = ''] = /^([a-z]+):\/\/([^/?#]*)(.*)$/.exec(url) ?? []
  return { scheme, host, path }
}

/** The headers that are a proxy's own word in either way of asking. */
const hop: readonly Statement[] = [
  ['x-forwarded-proto', 'X-Forwarded-Proto', 'scheme'],
  ['x-forwarded-for', 'X-Forwarded-For', 'client'],
]

/** What describes the request: the names of Caddy, Traefik and others, then those of nginx. */
const statements: readonly Statement[] = [
  ...hop,
  ['x-forwarded-method', 'X-Forwarded-Method', 'method'],
  ['x-forwarded-host', 'X-Forwarded-Host', 'host'],
  ['x-forwarded-uri', 'X-Forwarded-Uri', 'path'],
  ['x-original-method', 'X-Original-Method', 'method'],
  ['x-original-uri', 'X-Original-URI', 'path'],
  ['x-original-url', 'X-Original-URL', ofUrl],
]

const needed: Readonly<Record<Fact, string>> = {
  method: 'X-Forwarded-Method',
  scheme: 'X-Forwarded-Proto',
  host: 'X-Forwarded-Host',
  path: 'X-Forwarded-Uri or X-Original-URI',
  client: 'X-Forwarded-For',
}

const refuse = (message: string): RequestError => ({ status: 400, message })

/** A WebSocket's scheme is that of the request it begins as (RFC 6455 section 3). */
const schemes: Readonly<Record<string, string>> = { ws: 'http', wss: 'https' }

const comparable = (fact: Fact, value: string): string => {
  if (fact === 'scheme') return schemes[value] ?? value
  // $host of nginx has no port.
  return fact === 'host' ? value.toLowerCase().replace(/\.?(:[0-9]+)?$/, '') : value
}

/** Adds a fact, or returns false where another value of it is known: one of the two would be the client's. */
const add = (facts: Facts, fact: Fact, value: string): boolean => {
  const before = (facts[fact] ??= value)
  return before === value || comparable(fact, before) === comparable(fact, value)
}

/** Everything that is stated, once and without contradiction. */
const gather = (
  headers: DecidingHeaders,
  known: Facts,
  from: readonly Statement[],
): Record<Fact, string> | RequestError => {
  const facts = { ...known }
  for (const [name, text, state] of from) {
    if (!headers.has(name)) continue
    const [value, ...more] = headers.all(name)
    if (more.length > 0) return refuse(`${text} comes once at forward auth, not ${more.length + 1} times`)
    const stated = typeof state === 'string' ? { [state]: value! } : state(value!)
    for (const fact in stated)
      if (!add(facts, fact as Fact, stated[fact as Fact]!))
        return refuse(`${text} tells another ${fact} than the headers beside it`)
  }
  for (const fact in needed)
    if (facts[fact as Fact] === undefined)
      return refuse(`Forward auth is not told the ${fact}: the proxy must send ${needed[fact as Fact]}`)
  return facts as Record<Fact, string>
}

/**
 * The request that a trusted proxy asks about, as if it had come here itself; or what is wrong with the question. Cookies
 * and authorizations are the question's own. Envoy asks with the request's own method and host.
 */
export const readAbout = (
  { rawHeaders }: ReceivedRequest,
  asked: EdgeRequest,
): EdgeRequest | RequestError => {
  const headers = new DecidingHeaders(rawHeaders)
  const facts = asksByPath(asked)
    ? gather(
        headers,
        { method: asked.method, host: asked.authority, path: asked.target.slice(forwardAuthPath.length) },
        hop,
      )
    : gather(headers, {}, statements)
  if (isRequestError(facts)) return facts
  const { method, host, path, client } = facts
  const scheme = comparable('scheme', facts.scheme)
  if (scheme !== 'http' && scheme !== 'https') return refuse('X-Forwarded-Proto is http or https')
  if (!/^[A-Za-z][A-Za-z-]{0,31}$/.test(method)) return refuse('X-Forwarded-Method is not a method')
  if (method === 'TRACE' || method === 'CONNECT') return { status: 405, message: 'This method is not served' }
  // The last address is the proxy's own word. Without one, everybody would come from where the proxy is.
  if (isIP(client.slice(client.lastIndexOf(',') + 1).trim()) === 0)
    return refuse('X-Forwarded-For ends with the address of the client')
  const place = parseTarget(host, path)
  if (isRequestError(place)) return place
  const opensWebSocket = headers.has('sec-websocket-key') || headers.has('sec-websocket-version')
  return {
    ...asked,
    ...place,
    // Other than here, the proxy passes on to the service what overrides the method: it may become any.
    method: headers.overridesMethod ? 'POST' : method,
    secure: scheme === 'https',
    // Upgrade is of one hop and need not arrive here; what else only the handshake of a WebSocket has, does.
    upgrade: asked.upgrade ?? (opensWebSocket ? 'websocket' : undefined),
    body: undefined,
    length: 0,
    expect: undefined,
  }
}
