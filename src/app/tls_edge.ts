import type { AddressInfo } from 'node:net'
import type { Config } from '../config/config.ts'
import type { Log } from '../log/log.ts'
import type { RouteTable } from '../routes/route_table.ts'
import type { Database } from '../storage/database.ts'
import type { Seal } from '../secrets/seal.ts'
import { Authority } from '../tls/acme_client.ts'
import { Certificates } from '../tls/certificates.ts'
import { EdgeCertificates } from '../tls/certificate_choice.ts'
import { Failures } from '../tls/acme_backoff.ts'
import { Lease } from '../storage/lease.ts'
import { Orders } from '../tls/acme_orders.ts'
import type { OpenListener } from '../edge/serve/listener.ts'
import { HttpRedirect } from '../edge/serve/http_redirect.ts'
import { tlsListener } from '../edge/serve/tls_listener.ts'

interface Parts {
  readonly config: Config
  readonly database: Database
  readonly seal: Seal
  readonly routes: () => RouteTable | Promise<RouteTable>
  readonly publicHost: string
  readonly log: Log
}

/** All that TLS at the edge brings along: certificates, who orders them, and plain HTTP beside it. Loaded only where TLS is on. */
export class SecureEdge {
  readonly openListener: OpenListener
  readonly #parts: Parts
  readonly #shown: EdgeCertificates
  readonly #plain: HttpRedirect
  readonly #orders: Orders | undefined
  #securePort = ''

  /** Throws with one line for people when a certificate of the configuration cannot be used. */
  constructor(parts: Parts) {
    const { config, database, seal, publicHost, log } = parts
    this.#parts = parts
    const certificates = new Certificates(database, seal)
    const ordering = config.acme_directory !== undefined
    this.#shown = new EdgeCertificates(
      config,
      publicHost,
      log,
      ordering ? (name) => certificates.find(name) : undefined,
    )
    this.openListener = tlsListener(this.#shown)
    this.#plain = new HttpRedirect({
      answerTo: (token) => certificates.answerTo(token),
      knows: async (host) => host === publicHost || (await parts.routes()).at(host) !== undefined,
      securePort: () => this.#securePort,
      log,
    })
    if (config.acme_directory !== undefined)
      this.#orders = new Orders({
        certificates,
        authority: new Authority(config.acme_directory, config.acme_email!, certificates),
        lease: new Lease(database, 'acme_lease'),
        failures: new Failures(database),
        wanted: async () => [publicHost, ...(await parts.routes()).hosts()],
        held: (name) => this.#shown.holds(name),
        log,
      })
  }

  /** Begins once the edge listens at `port`: plain HTTP where it is wanted, and the orders. */
  async start(port: number): Promise<AddressInfo | undefined> {
    const { plain_listen, public_url } = this.#parts.config
    const url = new URL(public_url)
    // How people reach us may differ from where we listen: the public address knows, if it is one of https.
    const secure = url.protocol === 'https:' ? url.port : port === 443 ? '' : String(port)
    this.#securePort = secure === '' ? '' : `:${secure}`
    const address = plain_listen && (await this.#listen(plain_listen))
    this.#orders?.start()
    return address
  }

  async close(): Promise<void> {
    this.#shown.close()
    await Promise.all([this.#plain.close(), this.#orders?.close()])
  }

  async #listen(at: { host: string; port: number }): Promise<AddressInfo> {
    try {
      return await this.#plain.listen(at)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      throw new Error(`plain_listen: cannot listen on ${at.host}:${at.port} (${code})`, { cause: error })
    }
  }
}
