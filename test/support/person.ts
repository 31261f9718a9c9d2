import { request } from 'node:http'

interface Page {
  readonly url: URL
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

interface Init {
  readonly method?: string
  readonly body?: string
  readonly headers?: Record<string, string>
}

/** `fetch` would mark the request as one of a script. */
const fetchPage = (url: URL, { method = 'GET', body, headers }: Init): Promise<Omit<Page, 'url'>> =>
  new Promise((resolve, reject) => {
    // Browsers resolve every name under localhost to this machine; other resolvers need not (RFC 6761 section 6.3).
    const here = url.hostname.endsWith('.localhost') && { hostname: '127.0.0.1' }
    const sent = { ...headers, host: url.host }
    // A kept connection would end with a daemon that starts again.
    const asking = request(url, { agent: false, method, headers: sent, ...here }, (answer) => {
      let text = ''
      answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      answer.on('error', reject).on('end', () => {
        const pairs = Object.entries(answer.headersDistinct)
        const all = pairs.flatMap(([name, values]) =>
          values!.map((value) => [name, value] as [string, string]),
        )
        resolve({ status: answer.statusCode!, headers: new Headers(all), text })
      })
    })
    asking.on('error', reject).end(body)
  })

const decode = (text: string) =>
  text.replaceAll('&amp;', '&').replaceAll('&quot;', '"').replaceAll('&#39;', "'").replaceAll('&lt;', '<')

/** A user with a browser without scripts: keeps cookies as browsers do, follows redirects and refreshes, fills in forms. */
export class Person {
  /** Cookies by name, host and path. */
  readonly #jar = new Map<string, { value: string; path: string; host: string; maxAge: number | undefined }>()
  /** Addresses that are not fetched, because the redirects should stop there. */
  readonly #ends: (url: URL) => boolean

  /** Headers that a proxy adds to everything that this browser sends. */
  readonly #added: Readonly<Record<string, string>>

  constructor(ends: (url: URL) => boolean = () => false, added: Readonly<Record<string, string>> = {}) {
    this.#ends = ends
    this.#added = added
  }

  cookiesAt(url: URL): string {
    return [...this.#jar]
      .filter(([, { host, path }]) => host === url.host && url.pathname.startsWith(path))
      .map(([key, { value }]) => `${key.split(' ')[0]}=${value}`)
      .join('; ')
  }

  /** For how many seconds the browser keeps a cookie; undefined if it ends with the browser, null if there is none. */
  keeps(name: string, url: URL): number | undefined | null {
    const found = [...this.#jar].find(([key, { host }]) => key.startsWith(`${name} `) && host === url.host)
    return found ? found[1].maxAge : null
  }

  /** Sets a cookie, as somebody does who has copied it. */
  plant(name: string, value: string, { host }: URL): void {
    this.#jar.set(`${name} ${host} /`, { value, path: '/', host, maxAge: undefined })
  }

  /** Closes the browser and opens it again. */
  restart(): void {
    for (const [key, { maxAge }] of this.#jar) if (maxAge === undefined) this.#jar.delete(key)
  }

  async open(address: string | URL, init: Init = {}): Promise<Page> {
    let url = new URL(address)
    let how = init
    for (let hop = 0; hop < 20; hop++) {
      if (this.#ends(url)) return { url, status: 0, headers: new Headers(), text: '' }
      const cookie = this.cookiesAt(url)
      const headers = { accept: 'text/html', 'sec-fetch-mode': 'navigate', ...(cookie !== '' && { cookie }) }
      const answer = await fetchPage(url, {
        ...how,
        headers: { ...headers, ...this.#added, ...how.headers },
      })
      const { text } = answer
      this.#keep(url, answer.headers.getSetCookie())
      const next =
        answer.headers.get('location') ??
        decode(/<meta http-equiv="refresh" content="0; url=([^"]+)"/.exec(text)?.[1] ?? '')
      if (next === '') return { url, status: answer.status, headers: answer.headers, text }
      url = new URL(next, url)
      how = {}
    }
    throw new Error(`too many redirects at ${url}`)
  }

  /** Submits the form whose action begins with `action`. `pressed` is the button; the fields are the typed values. */
  submit({ url, text }: Page, action: string, typed: Record<string, string>): Promise<Page> {
    const forms = [...text.matchAll(/<form[^>]* action="([^"]*)"[^>]*>([\s\S]*?)<\/form>/g)]
    const form = forms.find(([, to]) => to!.startsWith(action))
    if (!form) throw new Error(`no form for ${action} at ${url}: ${text}`)
    const fields = new URLSearchParams()
    for (const [input] of form[2]!.matchAll(/<input[^>]*>/g)) {
      const name = / name="([^"]*)"/.exec(input)?.[1]
      // A browser sends no box that nobody has ticked.
      if (name !== undefined && !input.includes('type="checkbox"'))
        fields.set(name, decode(/ value="([^"]*)"/.exec(input)?.[1] ?? ''))
    }
    for (const [name, value] of Object.entries(typed)) fields.set(name, value)
    const target = new URL(decode(form[1]!), url)
    return this.open(target, {
      method: 'POST',
      body: fields.toString(),
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        origin: url.origin,
        'sec-fetch-site': 'same-origin',
      },
    })
  }

  /** Follows the first link whose address begins with `start`. */
  follow({ url, text }: Page, start: string): Promise<Page> {
    const links = [...text.matchAll(/<a[^>]* href="([^"]*)"/g)].map(([, to]) => decode(to!))
    const link = links.find((to) => to.startsWith(start))
    if (link === undefined) throw new Error(`no link to ${start} at ${url}: ${text}`)
    return this.open(new URL(link, url))
  }

  signIn(page: Page, login: string, password: string): Promise<Page> {
    return this.submit(page, '/auth/login', { login, password })
  }

  #keep({ host, pathname }: URL, lines: readonly string[]): void {
    for (const line of lines) {
      const [pair = '', ...attributes] = line.split(/;\s*/)
      const equals = pair.indexOf('=')
      const path = attributes.find((one) => /^path=/i.test(one))?.slice(5) ?? pathname
      const key = `${pair.slice(0, equals)} ${host} ${path}`
      const gone = attributes.some(
        (one) => /^max-age=0$/i.test(one) || /^expires=Thu, 01 Jan 1970/i.test(one),
      )
      if (gone) this.#jar.delete(key)
      else {
        const age = attributes.find((one) => /^max-age=/i.test(one))?.slice(8)
        const maxAge = age === undefined ? undefined : Number(age)
        this.#jar.set(key, { value: pair.slice(equals + 1), path, host, maxAge })
      }
    }
  }
}
