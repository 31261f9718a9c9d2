/** Home is the origin of the public URL: people prove who they are there only. */
export class Home {
  /** Scheme, host and port, without a slash at the end. */
  readonly origin: string
  /** Without the port. */
  readonly host: string
  readonly secure: boolean
  /** The origins of earlier public URLs, by their hosts. */
  readonly previous: ReadonlyMap<string, readonly string[]>
  /** Home's host and the previous ones: no wildcard covers them. */
  readonly all: ReadonlySet<string>
  readonly #scheme: string
  readonly #port: string

  constructor(publicUrl: string, previousUrls: readonly string[] = []) {
    const { protocol, hostname, port, origin } = new URL(publicUrl)
    this.origin = origin
    this.host = hostname
    this.secure = protocol === 'https:'
    const earlier = previousUrls.map((url) => new URL(url))
    this.previous = new Map(
      [...Map.groupBy(earlier, (url) => url.hostname)].map(([host, urls]) => [
        host,
        urls.map((url) => url.origin),
      ]),
    )
    this.all = new Set([hostname, ...this.previous.keys()])
    this.#scheme = protocol
    this.#port = port === '' ? '' : `:${port}`
  }

  is(host: string): boolean {
    return host === this.host
  }

  /** Returns the origin of a host of ours: it shares scheme and port with home. */
  originOf(host: string): string {
    return `${this.#scheme}//${host}${this.#port}`
  }
}
