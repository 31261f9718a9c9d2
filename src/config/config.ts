import type { LogLevel } from '../log/log.ts'

export interface Config {
  readonly data_dir: string
  readonly database_url: string
  readonly socket_dir: string
  readonly listen: { readonly host: string; readonly port: number }
  /** Origin without a trailing slash: what links in mails and callbacks begin with. */
  readonly public_url: string
  readonly secret: string | undefined
  readonly operator_token: string | undefined
  readonly bearer_token: string | undefined
  readonly trusted_proxies: readonly string[]
  readonly workers: number
  readonly max_connections: number
  readonly fast_lane: 'on' | 'off'
  /** PEM files, as many certificates as keys; the edge speaks TLS if there are any. */
  readonly tls_cert: readonly string[]
  readonly tls_key: readonly string[]
  readonly acme_directory: string | undefined
  readonly acme_email: string | undefined
  readonly plain_listen: { readonly host: string; readonly port: number } | undefined
  readonly log_level: LogLevel
}

/** A wrong value: the start ends with this one line. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}
