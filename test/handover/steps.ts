import { ask, type Answer, type Door } from '../support/http.ts'

/** A browser that takes each redirect by itself: a test stops it between two steps, or lets it lose a cookie. */
export class Walker {
  readonly #door: Door
  /** Cookies by host, then by name. */
  readonly jar = new Map<string, Map<string, string>>()
  /** Extra headers of every request. */
  readonly #headers: readonly string[]

  constructor(door: Door, headers: readonly string[] = []) {
    this.#door = door
    this.#headers = headers
  }

  cookies(host: string): string {
    return [...(this.jar.get(host) ?? [])].map(([name, value]) => `${name}=${value}`).join('; ')
  }

  keep(host: string, cookie: string): void {
    const at = cookie.indexOf('=')
    const cookies = this.jar.get(host) ?? new Map<string, string>()
    this.jar.set(host, cookies.set(cookie.slice(0, at), cookie.slice(at + 1)))
  }

  /** One request for an address such as `http://wiki.localhost:9997/x`, without following a redirect. */
  async step(
    address: string,
    { keeps = true, headers = [] as readonly string[], method = 'GET' } = {},
  ): Promise<Answer> {
    const { hostname, pathname, search } = splitUrl(address)
    const cookie = this.cookies(hostname)
    const answer = await ask(this.#door, hostname, pathname + search, {
      method,
      headers: [
        'Accept',
        'text/html',
        ...this.#headers,
        ...headers,
        ...(cookie === '' ? [] : ['Cookie', cookie]),
      ],
    })
    for (const line of keeps ? (answer.headers['set-cookie'] ?? []) : []) {
      const [pair = ''] = line.split(';')
      if (/max-age=0/i.test(line)) this.jar.get(hostname)?.delete(pair.slice(0, pair.indexOf('=')))
      else this.keep(hostname, pair)
    }
    return answer
  }

  /** Follows redirects until an address that begins with `until`, which is not requested, or an answer without one. */
  async walk(address: string, until = 'nowhere', keeps?: (host: string) => boolean): Promise<Walk> {
    const addresses = [address]
    for (let hops = 0; hops < 25; hops++) {
      const at = addresses.at(-1)!
      const answer = await this.step(at, { keeps: keeps?.(splitUrl(at).hostname) ?? true })
      const { location } = answer.headers
      if (location === undefined) return { addresses, answer }
      // Not resolved by `URL`, which would rewrite the path.
      addresses.push(location.startsWith('/') ? splitUrl(at).origin + location : location)
      if (location.startsWith(until)) return { addresses, answer }
    }
    throw new Error(`redirected without end: ${addresses.slice(0, 12).join('\n')}`)
  }
}

export interface Walk {
  /** Every address on the way; the last one is where it ended. */
  readonly addresses: string[]
  readonly answer: Answer
}

const splitUrl = (address: string) => {
  const [, origin = '', path = '/'] = /^(https?:\/\/[^/]*)(\/.*)?$/.exec(address) ?? []
  const query = path.indexOf('?')
  return {
    origin,
    hostname: new URL(origin).hostname,
    pathname: query < 0 ? path : path.slice(0, query),
    search: query < 0 ? '' : path.slice(query),
  }
}
