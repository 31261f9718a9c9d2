/** Home is the origin of the public URL: people prove who they are there only. */
export class Home {
  /** Scheme, host and port, without a slash at the end. */
  readonly origin: string
  /** Without the port. */
  readonly host: string
  readonly secure: boolean
  /** The hosts of earlier public URLs. */
  readonly previous: ReadonlySet<string>
  /** Home's host and the previous ones: no wildcard covers them. */
  readonly all: ReadonlySet<string>
  readonly #scheme: string
  readonly #port: string

  constructor(publicUrl: string, previousUrls: readonly string[] = []) {
    const { protocol, hostname, port, origin } = new URL(publicUrl)
    this.origin = origin
    this.host = hostname
    this.secure = protocol === 'https:'
    this.previous = new Set(previousUrls.map((url) => new URL(url).hostname))
    this.all = new Set([hostname, ...this.previous])
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
