import type { AddressInfo } from 'node:net'
import type { Config } from '../config/config.ts'
import type { Log } from '../log/log.ts'
import type { RouteTable } from '../routes/route_table.ts'
import type { Database } from '../storage/database.ts'
import type { Seal } from '../secrets/seal.ts'
import { Authority } from '../tls/acme_client.ts'
import { Certificates } from '../tls/certificates.ts'
import { EdgeCertificates } from '../tls/certificate_choice.ts'
import { OrderFailures } from '../tls/acme_backoff.ts'
import { Lease } from '../storage/lease.ts'
import { CertificateOrders } from '../tls/acme_orders.ts'
import type { OpenListener } from '../edge/serve/listener.ts'
import { HttpRedirect } from '../edge/serve/http_redirect.ts'
import type { Home } from '../contract/home.ts'
import { tlsListener } from '../edge/serve/tls_listener.ts'

interface Parts {
  readonly config: Config
  readonly database: Database
  readonly seal: Seal
  readonly routes: () => RouteTable | Promise<RouteTable>
  readonly home: Home
  readonly log: Log
}

/** TLS at the edge: certificates, ACME orders, and the redirect from plain HTTP. Loaded only if TLS is on. */
export class SecureEdge {
  readonly openListener: OpenListener
  readonly #parts: Parts
  readonly #certificates: EdgeCertificates
  readonly #redirect: HttpRedirect
  readonly #orders: CertificateOrders | undefined
  #securePort = ''

  /** Throws an error with a one-line message if a configured certificate cannot be used. */
  constructor(parts: Parts) {
    const { config, database, seal, home, log } = parts
    this.#parts = parts
    const certificates = new Certificates(database, seal)
    const ordering = config.acme_directory !== undefined
    this.#certificates = new EdgeCertificates(
      config,
      home.host,
      log,
      ordering ? (name) => certificates.find(name) : undefined,
    )
    this.openListener = tlsListener(this.#certificates)
    this.#redirect = new HttpRedirect({
      answerTo: (token) => certificates.answerTo(token),
      knows: async (host) => home.all.has(host) || (await parts.routes()).at(host) !== undefined,
      securePort: () => this.#securePort,
      log,
    })
    if (config.acme_directory !== undefined)
      this.#orders = new CertificateOrders({
        certificates,
        authority: new Authority(config.acme_directory, config.acme_email!, certificates),
        lease: new Lease(database, 'acme_lease'),
        failures: new OrderFailures(database),
        wanted: async () => [...new Set([...home.all, ...(await parts.routes()).hosts()])],
        held: (name) => this.#certificates.holds(name),
        log,
      })
  }

  /** Called once the edge listens at `port`. Starts plain HTTP, if configured, and the orders. */
  async start(port: number): Promise<AddressInfo | undefined> {
    const { plain_listen, public_url } = this.#parts.config
    const url = new URL(public_url)
    // The public port may differ from the one that we listen on. An https public_url is authoritative.
    const secure = url.protocol === 'https:' ? url.port : port === 443 ? '' : String(port)
    this.#securePort = secure === '' ? '' : `:${secure}`
    const address = plain_listen && (await this.#listen(plain_listen))
    this.#orders?.start()
    return address
  }

  async close(): Promise<void> {
    this.#certificates.close()
    await Promise.all([this.#redirect.close(), this.#orders?.close()])
  }

  async #listen(at: { host: string; port: number }): Promise<AddressInfo> {
    try {
      return await this.#redirect.listen(at)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      throw new Error(`plain_listen: cannot listen on ${at.host}:${at.port} (${code})`, { cause: error })
    }
  }
}
