import { createPrivateKey, X509Certificate } from 'node:crypto'
import type { SecureContext } from 'node:tls'

/** The minimum for every TLS connection: version 1.2, forward secrecy and authenticated encryption. */
export const strength = {
  minVersion: 'TLSv1.2',
  ciphers: [
    'TLS_AES_128_GCM_SHA256',
    'TLS_AES_256_GCM_SHA384',
    'TLS_CHACHA20_POLY1305_SHA256',
    'ECDHE-ECDSA-AES128-GCM-SHA256',
    'ECDHE-RSA-AES128-GCM-SHA256',
    'ECDHE-ECDSA-AES256-GCM-SHA384',
    'ECDHE-RSA-AES256-GCM-SHA384',
    'ECDHE-ECDSA-CHACHA20-POLY1305',
    'ECDHE-RSA-CHACHA20-POLY1305',
  ].join(':'),
} as const

/** A certificate chain with its private key, ready to be served. */
export interface Pair {
  readonly cert: string
  readonly key: string
  /** The host names that the certificate is for, in lower case; one may begin with `*.`. */
  readonly names: readonly string[]
  /** Unix time in seconds. */
  readonly notAfter: number
  readonly context: SecureContext
}

/** The DNS names among the subject alternative names. The common name does not count (RFC 6125 section 6.4.4). */
const namesOf = ({ subjectAltName = '' }: X509Certificate): string[] =>
  [...subjectAltName.matchAll(/(?:^|, )DNS:([^,"]+)/g)].map(([, name]) => name!.toLowerCase())

/** Reads PEM text. Throws an error with a one-line message if one of them is broken or they do not belong together. */
export const readPair = (cert: string, key: string): Pair => {
  let leaf
  try {
    leaf = new X509Certificate(cert)
  } catch {
    throw new Error('the certificate is not PEM')
  }
  let secret
  try {
    secret = createPrivateKey(key)
  } catch {
    throw new Error('the key is not PEM, or it is encrypted')
  }
  if (!leaf.checkPrivateKey(secret)) throw new Error('the key does not belong to the certificate')
  const context = process.getBuiltinModule('node:tls').createSecureContext({ cert, key, ...strength })
  return { cert, key, names: namesOf(leaf), notAfter: Math.floor(Date.parse(leaf.validTo) / 1000), context }
}
