import type { LogLevel } from '../log/log.ts'

export interface Config {
  readonly data_dir: string
  readonly database_url: string
  readonly socket_dir: string
  readonly listen: { readonly host: string; readonly port: number }
  /** Origin without a trailing slash: the start of links in mails and of callbacks. */
  readonly public_url: string
  /** Origins that were the public URL before, without a trailing slash. */
  readonly previous_public_urls: readonly string[]
  readonly secret: string | undefined
  readonly operator_token: string | undefined
  readonly bearer_token: string | undefined
  readonly trusted_proxies: readonly string[]
  readonly forward_auth_from: readonly string[]
  readonly workers: number
  readonly max_connections: number
  /** The largest head of a request that is forwarded. */
  readonly max_head_bytes: number
  readonly fast_lane: 'on' | 'off'
  /** PEM files, one key for each certificate; the edge speaks TLS if there are any. */
  readonly tls_cert: readonly string[]
  readonly tls_key: readonly string[]
  readonly acme_directory: string | undefined
  readonly acme_email: string | undefined
  readonly plain_listen: { readonly host: string; readonly port: number } | undefined
  readonly log_level: LogLevel
}

/** An invalid value: the start fails with this one line. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}
