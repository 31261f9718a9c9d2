import { isRequestError, parseTarget, type EdgeRequest, type RequestError } from '../../wire/request.ts'
import { DecidingHeaders, type DecidingName } from '../../wire/deciding_headers.ts'
import { readForwarded, type ClientAddresses } from '../../wire/client_address.ts'
import type { ReceivedRequest } from '../../wire/client_response.ts'
import { forwardAuthPath } from '../../wire/own_path.ts'

/** True if the path in question follows ours in the target; otherwise a header states it. */
export const asksByPath = ({ path }: EdgeRequest): boolean => path !== forwardAuthPath

type Fact = 'method' | 'scheme' | 'host' | 'path' | 'client'
type Facts = Partial<Record<Fact, string>>
/** A header, its spelling in messages, and the facts that it states. */
type Statement = readonly [name: DecidingName, text: string, state: Fact | ((value: string) => Facts)]

const ofUrl = (url: string): Facts => {
  const [, scheme = '', host = '', path = ''] = /^([a-z]+):\/\/([^/?#]*)(.*)$/.exec(url) ?? []
  return { scheme, host, path }
}

/** The headers that the proxy itself sets, whichever way it asks. */
const hop: readonly Statement[] = [
  ['x-forwarded-proto', 'X-Forwarded-Proto', 'scheme'],
  ['x-forwarded-for', 'X-Forwarded-For', 'client'],
]

/** The headers that describe the request: as Caddy, Traefik and others name them, then as nginx does. */
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

/** A WebSocket has the scheme of the request that opens it (RFC 6455 section 3). */
const schemes: Readonly<Record<string, string>> = { ws: 'http', wss: 'https' }

const comparable = (fact: Fact, value: string): string => {
  if (fact === 'scheme') return schemes[value] ?? value
  // $host of nginx has no port.
  return fact === 'host' ? value.toLowerCase().replace(/\.?(:[0-9]+)?$/, '') : value
}

/** Adds a fact, or returns false if another value is already known: one of the two must be from the client. */
const add = (facts: Facts, fact: Fact, value: string): boolean => {
  const before = (facts[fact] ??= value)
  return before === value || comparable(fact, before) === comparable(fact, value)
}

/** Returns all facts, or a 400 if one is missing, repeated or contradicted. */
const gather = (
  headers: DecidingHeaders,
  known: Facts,
  from: readonly Statement[],
): Record<Fact, string> | RequestError => {
  const facts = { ...known }
  for (const [name, text, state] of from) {
    if (!headers.has(name)) continue
    const [value, ...more] = headers.all(name)
    if (more.length > 0) return refuse(`${text} must come once at forward auth, not ${more.length + 1} times`)
    const stated = typeof state === 'string' ? { [state]: value! } : state(value!)
    for (const fact in stated)
      if (!add(facts, fact as Fact, stated[fact as Fact]!))
        return refuse(`${text} states another ${fact} than the other headers`)
  }
  for (const fact in needed)
    if (facts[fact as Fact] === undefined)
      return refuse(`Forward auth does not know the ${fact}: the proxy must send ${needed[fact as Fact]}`)
  return facts as Record<Fact, string>
}

/**
 * Returns the request that a proxy asks about, as if it had come here directly, or what is wrong with the question. Cookies
 * and authorizations come from the question itself. Envoy asks with the method and host of the request in question.
 */
export const readAbout = (
  { rawHeaders, socket }: ReceivedRequest,
  request: EdgeRequest,
  addresses: ClientAddresses,
): EdgeRequest | RequestError => {
  const headers = new DecidingHeaders(rawHeaders)
  const facts = asksByPath(request)
    ? gather(
        headers,
        {
          method: request.method,
          host: request.authority,
          path: request.target.slice(forwardAuthPath.length),
        },
        hop,
      )
    : gather(headers, {}, statements)
  if (isRequestError(facts)) return facts
  const { method, host, path, client } = facts
  const scheme = comparable('scheme', facts.scheme)
  if (scheme !== 'http' && scheme !== 'https') return refuse('X-Forwarded-Proto must be http or https')
  if (!/^[A-Za-z][A-Za-z-]{0,31}$/.test(method)) return refuse('X-Forwarded-Method is not a method')
  if (method === 'TRACE' || method === 'CONNECT') return { status: 405, message: 'This method is not served' }
  // The proxy itself adds the last address. Without it, every client would seem to have the proxy's address.
  if (readForwarded(client.slice(client.lastIndexOf(',') + 1).trim()) === undefined)
    return refuse('X-Forwarded-For must end with the address of the client')
  const place = parseTarget(host, path)
  if (isRequestError(place)) return place
  const opensWebSocket = headers.has('sec-websocket-key') || headers.has('sec-websocket-version')
  const { address, addressKnown, forwardedFor } = addresses.of(socket, headers)
  return {
    ...request,
    ...place,
    address,
    addressKnown,
    forwardedFor,
    // Unlike us, the proxy passes on headers that override the method, so the service may see any method.
    method: headers.overridesMethod ? 'POST' : method,
    secure: scheme === 'https',
    // Upgrade is a hop-by-hop header and may not arrive here. The other headers of a WebSocket handshake do.
    upgrade: request.upgrade ?? (opensWebSocket ? 'websocket' : undefined),
    body: undefined,
    length: 0,
    expect: undefined,
  }
}
