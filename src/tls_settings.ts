import { files, parseListen, setting } from './setting_values.ts'

/** Start-up settings of TLS at the edge. */
export const tlsSettings = [
  setting({
    name: 'tls_cert',
    env: ['HERO_PROXY_TLS_CERT'],
    meaning:
      'Certificates of the edge, which then speaks TLS; each serves the names in it, the first all others too',
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
    meaning: 'Whom the certificate authority may write to; giving it agrees to its terms of service',
    allowed: 'an email address',
    default_text: 'none',
    default: () => undefined,
    parse: (text) => (/^[\x21-\x3f\x41-\x7e]{1,64}@[a-zA-Z0-9.-]{1,253}$/.test(text) ? text : undefined),
  }),
  setting({
    name: 'plain_listen',
    env: ['HERO_PROXY_PLAIN_LISTEN'],
    meaning:
      'Address that answers plain HTTP beside TLS: the challenges of acme_directory, and redirects to https',
    allowed: 'ADDRESS:PORT, such as 0.0.0.0:80',
    default_text: 'none',
    default: () => undefined,
    parse: parseListen,
  }),
] as const
