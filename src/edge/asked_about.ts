import { isIP } from 'node:net'
import { isRefusal, readPlace, valuesOf, type Asked, type Refusal } from './asked.ts'
import { overridesMethod } from './headers.ts'
import type { Sent } from './recipient.ts'

/** Where proxies in front of us ask. Envoy puts the path that it asks about behind it. */
const at = '/auth/forward'

/** Whether a path, or a request target, asks about another request. */
export const asksAbout = (target: string): boolean => /^\/auth\/forward(?:[/?]|$)/.test(target)

/** True where the path asked about stands behind ours, and not in a header. */
export const asksByPath = ({ path }: Asked): boolean => path !== at

type Fact = 'method' | 'scheme' | 'host' | 'path' | 'client'
type Facts = Partial<Record<Fact, string>>
type Teller = readonly [name: string, tell: (value: string) => Facts]

const ofUrl = (url: string): Facts => {
  const [, scheme = '', host = '', path = ''] = /^([a-z]+):\/\/([^/?#]*)(.*)$/.exec(url) ?? []
  return { scheme, host, path }
}

/** The headers that are a proxy's own word in either way of asking. */
const hop: readonly Teller[] = [
  ['X-Forwarded-Proto', (scheme) => ({ scheme })],
  ['X-Forwarded-For', (client) => ({ client })],
]

/** What tells of the request: the names of Caddy, Traefik and others, then those of nginx. */
const tellers: readonly Teller[] = [
  ...hop,
  ['X-Forwarded-Method', (method) => ({ method })],
  ['X-Forwarded-Host', (host) => ({ host })],
  ['X-Forwarded-Uri', (path) => ({ path })],
  ['X-Original-Method', (method) => ({ method })],
  ['X-Original-URI', (path) => ({ path })],
  ['X-Original-URL', ofUrl],
]

const needed: Readonly<Record<Fact, string>> = {
  method: 'X-Forwarded-Method',
  scheme: 'X-Forwarded-Proto',
  host: 'X-Forwarded-Host',
  path: 'X-Forwarded-Uri or X-Original-URI',
  client: 'X-Forwarded-For',
}

const refuse = (message: string): Refusal => ({ status: 400, message })

/** A WebSocket's scheme is that of the request it begins as (RFC 6455 section 3). */
const schemes: Readonly<Record<string, string>> = { ws: 'http', wss: 'https' }

const comparable = (fact: Fact, value: string): string => {
  if (fact === 'scheme') return schemes[value] ?? value
  // $host of nginx has no port.
  return fact === 'host' ? value.toLowerCase().replace(/\.?(:[0-9]+)?$/, '') : value
}

/** Everything that is told, once and without contradiction: one of two different words would be the client's. */
const gather = (
  rawHeaders: readonly string[],
  known: Facts,
  from: readonly Teller[],
): Record<Fact, string> | Refusal => {
  const facts = { ...known }
  for (const [name, tell] of from) {
    const values = valuesOf(rawHeaders, name.toLowerCase())
    if (values.length === 0) continue
    if (values.length > 1) return refuse(`${name} comes once at forward auth, not ${values.length} times`)
    for (const [key, value] of Object.entries(tell(values[0]!))) {
      const fact = key as Fact
      const before = (facts[fact] ??= value)
      if (comparable(fact, before) !== comparable(fact, value))
        return refuse(`${name} tells another ${fact} than the headers beside it`)
    }
  }
  for (const fact of Object.keys(needed) as Fact[])
    if (facts[fact] === undefined)
      return refuse(`Forward auth is not told the ${fact}: the proxy must send ${needed[fact]}`)
  return facts as Record<Fact, string>
}

/**
 * The request that a trusted proxy asks about, as if it had come here itself; or what is wrong with the question. Cookies
 * and authorizations are the question's own. Envoy asks with the request's own method and host.
 */
export const readAbout = ({ rawHeaders }: Sent, asked: Asked): Asked | Refusal => {
  const facts = asksByPath(asked)
    ? gather(
        rawHeaders,
        { method: asked.method, host: asked.authority, path: asked.target.slice(at.length) },
        hop,
      )
    : gather(rawHeaders, {}, tellers)
  if (isRefusal(facts)) return facts
  const { method, host, path, client } = facts
  const scheme = comparable('scheme', facts.scheme)
  if (scheme !== 'http' && scheme !== 'https') return refuse('X-Forwarded-Proto is http or https')
  if (!/^[A-Za-z][A-Za-z-]{0,31}$/.test(method)) return refuse('X-Forwarded-Method is not a method')
  if (method === 'TRACE' || method === 'CONNECT') return { status: 405, message: 'This method is not served' }
  // The last address is the proxy's own word. Without one, everybody would come from where the proxy is.
  if (isIP(client.split(',').at(-1)!.trim()) === 0)
    return refuse('X-Forwarded-For ends with the address of the client')
  const place = readPlace(host, path)
  if (isRefusal(place)) return place
  const opensWebSocket = ['sec-websocket-key', 'sec-websocket-version'].some(
    (name) => valuesOf(rawHeaders, name).length > 0,
  )
  return {
    ...asked,
    ...place,
    // Other than here, the proxy passes on to the service what overrides the method: it may become any.
    method: overridesMethod(rawHeaders) ? 'POST' : method,
    secure: scheme === 'https',
    // Upgrade is of one hop and need not arrive here; what else only the handshake of a WebSocket has, does.
    upgrade: asked.upgrade ?? (opensWebSocket ? 'websocket' : undefined),
    body: undefined,
    length: 0,
    expect: undefined,
  }
}
