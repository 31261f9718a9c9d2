import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Config } from './config.ts'
import { logLevels } from '../log/log.ts'
import { absolute, files, parseCidrs, parseListen, parseOrigin, parseOrigins, wholeNumber } from './values.ts'

interface Setting<K extends keyof Config> {
  /** The flag is `--` and the name with hyphens. In hero_proxy.toml, the name is used as it is. */
  readonly name: K
  readonly env: readonly string[]
  /** Never shown in an error or in the log. */
  readonly secret?: true
  /** No flag, because everyone on the machine can read a program's arguments. */
  readonly no_flag?: true
  readonly meaning: string
  readonly allowed: string
  /** As shown in docs/reference/configuration.md. */
  readonly default_text: string
  readonly default: (before: Partial<Config>) => Config[K]
  /** Returns undefined for a value that is not allowed. */
  readonly parse: (text: string) => Config[K] | undefined
}

const setting = <K extends keyof Config>(row: Setting<K>) => row

const home = join(homedir(), 'hero', 'var')

/** The single table of start-up settings, from which parsing, `--help` and docs/reference/configuration.md derive. */
export const settings = [
  setting({
    name: 'data_dir',
    env: ['HERO_PROXY_DATA_DIR'],
    meaning: 'Where the database and the master secret are kept (created with mode 0700)',
    allowed: 'a folder',
    default_text: '~/hero/var/hero_proxy',
    default: () => join(home, 'hero_proxy'),
    parse: absolute,
  }),
  setting({
    name: 'database_url',
    env: ['HERO_PROXY_DATABASE_URL'],
    secret: true,
    meaning: 'The database; PostgreSQL when one machine is not enough',
    allowed: 'sqlite:FILE or postgres://…',
    default_text: 'sqlite:<data dir>/hero_proxy.db',
    default: ({ data_dir = '' }) => `sqlite:${join(data_dir, 'hero_proxy.db')}`,
    parse: (text) => (/^(sqlite:.+|postgres(ql)?:\/\/.+)$/.test(text) ? text : undefined),
  }),
  setting({
    name: 'socket_dir',
    env: ['HERO_SOCKET_DIR', 'PATH_SOCKET'],
    meaning: 'The socket is hero_proxy/rpc.sock in this folder',
    allowed: 'a folder',
    default_text: '~/hero/var/sockets',
    default: () => join(home, 'sockets'),
    parse: absolute,
  }),
  setting({
    name: 'listen',
    env: ['HERO_PROXY_LISTEN'],
    meaning: 'Address of the edge, the HTTP front door; port 0 chooses a free port',
    allowed: 'ADDRESS:PORT, such as 127.0.0.1:9997 or [::1]:9997',
    default_text: '127.0.0.1:9997',
    default: () => ({ host: '127.0.0.1', port: 9997 }),
    parse: parseListen,
  }),
  setting({
    name: 'public_url',
    env: ['HERO_PROXY_PUBLIC_URL'],
    meaning: 'The URL at which users reach the edge; links and callbacks start with it',
    allowed: 'an http or https origin without a path, such as https://id.example.org',
    default_text: 'http://localhost:PORT with the port of listen',
    // Port 0 is settled before the daemon starts; until then this is the usual port.
    default: ({ listen }) => `http://localhost:${listen?.port || 9997}`,
    parse: parseOrigin,
  }),
  setting({
    name: 'previous_public_urls',
    env: ['HERO_PROXY_PREVIOUS_PUBLIC_URLS'],
    meaning:
      'Earlier values of public_url: their hosts stay ours, lead to the new one, and take the passkeys that were made there',
    allowed: 'http or https origins joined by commas, such as https://login.example.org',
    default_text: 'none',
    default: () => [],
    parse: parseOrigins,
  }),
  setting({
    name: 'secret',
    env: ['HERO_SECRET'],
    secret: true,
    no_flag: true,
    meaning:
      'The master secret that seals other secrets; created on the first start in <data dir>/master.key',
    allowed: 'at least 32 characters',
    default_text: 'created on the first start',
    default: () => undefined,
    parse: (text) => (text.length >= 32 ? text : undefined),
  }),
  setting({
    name: 'operator_token',
    env: ['HERO_PROXY_OPERATOR_TOKEN'],
    secret: true,
    no_flag: true,
    meaning: 'Bearer token that gives operator rights at the /rpc of the edge',
    allowed: 'at least 32 letters, digits and . _ ~ + / -',
    default_text: 'none: nobody is the operator at the edge',
    default: () => undefined,
    parse: (text) => (/^[A-Za-z0-9._~+/-]{32,}=*$/.test(text) ? text : undefined),
  }),
  setting({
    name: 'bearer_token',
    env: ['HERO_PROXY_BEARER_TOKEN'],
    secret: true,
    no_flag: true,
    meaning: 'Static token that every route with auth_mode bearer accepts; it identifies nobody',
    allowed: 'at least 32 letters, digits and . _ ~ + / -',
    default_text: 'none: only tokens of routes and users are accepted',
    default: () => undefined,
    parse: (text) => (/^[A-Za-z0-9._~+/-]{32,256}=*$/.test(text) ? text : undefined),
  }),
  setting({
    name: 'trusted_proxies',
    env: ['HERO_PROXY_TRUSTED_PROXIES'],
    meaning: 'Proxies in front of us, whose X-Forwarded-* headers we trust',
    allowed: 'addresses or CIDR ranges joined by commas, such as 10.0.0.0/8,::1',
    default_text: 'none',
    default: () => [],
    parse: parseCidrs,
  }),
  setting({
    name: 'forward_auth_from',
    env: ['HERO_PROXY_FORWARD_AUTH_FROM'],
    meaning:
      'Proxies that may ask by forward auth. Apart from trusted_proxies: behind a proxy that carries traffic, a page could ask too',
    allowed: 'addresses or CIDR ranges joined by commas, such as 127.0.0.1,10.1.2.3',
    default_text: 'none: /auth/forward answers 403 to all',
    default: () => [],
    parse: parseCidrs,
  }),
  setting({
    name: 'workers',
    env: ['HERO_PROXY_WORKERS'],
    meaning: 'How many processes serve the edge; if more than one, they run in addition to the daemon itself',
    allowed: '1 to 64',
    default_text: '1',
    default: () => 1,
    parse: wholeNumber(1, 64),
  }),
  setting({
    name: 'max_connections',
    env: ['HERO_PROXY_MAX_CONNECTIONS'],
    meaning: 'Open connections to the edge in each process; further ones are answered with 503 and closed',
    allowed: '1 to 1000000',
    default_text: '10000',
    default: () => 10_000,
    parse: wholeNumber(1, 1_000_000),
  }),
  setting({
    name: 'max_head_bytes',
    env: ['HERO_PROXY_MAX_HEAD_BYTES'],
    meaning:
      'Largest head of a request, its cookies included, in bytes; a larger one is answered with 431, up to 128 KiB by a page that clears cookies',
    allowed: '16384 to 131072',
    default_text: '16384',
    default: () => 16_384,
    parse: wholeNumber(16_384, 131_072),
  }),
  setting({
    name: 'fast_lane',
    env: ['HERO_PROXY_FAST_LANE'],
    meaning:
      'Whether requests in the usual form take a faster way through the edge; off sends all of them through node:http',
    allowed: 'on or off',
    default_text: 'on',
    default: () => 'on',
    parse: (text) => (text === 'on' || text === 'off' ? text : undefined),
  }),
  setting({
    name: 'tls_cert',
    env: ['HERO_PROXY_TLS_CERT'],
    meaning:
      'Certificates of the edge, which then speaks TLS; each serves the names in it, and the first serves all other names',
    allowed: 'PEM files with the chain, joined by commas; read again when they change',
    default_text: 'none: plain HTTP',
    default: () => [],
    parse: files,
  }),
  setting({
    name: 'tls_key',
    env: ['HERO_PROXY_TLS_KEY'],
    meaning: 'Their private keys, in the same order',
    allowed: 'PEM files joined by commas',
    default_text: 'none',
    default: () => [],
    parse: files,
  }),
  setting({
    name: 'acme_directory',
    env: ['HERO_PROXY_ACME_DIRECTORY'],
    meaning:
      'Where certificates for the domains of the routes are ordered; needs acme_email and plain_listen',
    allowed: 'an https URL, such as https://acme-v02.api.letsencrypt.org/directory',
    default_text: 'none: no certificate is ordered',
    default: () => undefined,
    parse: (text) => (URL.canParse(text) && new URL(text).protocol === 'https:' ? text : undefined),
  }),
  setting({
    name: 'acme_email',
    env: ['HERO_PROXY_ACME_EMAIL'],
    meaning: 'Address that the certificate authority may write to; setting it agrees to the terms of service',
    allowed: 'an email address',
    default_text: 'none',
    default: () => undefined,
    parse: (text) => (/^[\x21-\x3f\x41-\x7e]{1,64}@[a-zA-Z0-9.-]{1,253}$/.test(text) ? text : undefined),
  }),
  setting({
    name: 'plain_listen',
    env: ['HERO_PROXY_PLAIN_LISTEN'],
    meaning:
      'Address that answers plain HTTP in addition to TLS: the challenges of acme_directory, and redirects to https',
    allowed: 'ADDRESS:PORT, such as 0.0.0.0:80',
    default_text: 'none',
    default: () => undefined,
    parse: parseListen,
  }),
  setting({
    name: 'log_level',
    env: ['HERO_PROXY_LOG_LEVEL'],
    meaning: 'How much is logged to standard error; debug adds a line for every request',
    allowed: logLevels.join(', '),
    default_text: 'info',
    default: () => 'info',
    parse: (text) => logLevels.find((level) => level === text),
  }),
] as const
