import { invalidParams } from '../contract/errors.ts'

const loopbacks = new Set(['localhost', '127.0.0.1', '[::1]'])

export const isLoopback = (uri: string): boolean => {
  const url = URL.canParse(uri) ? new URL(uri) : undefined
  return url?.protocol === 'http:' && loopbacks.has(url.hostname)
}

/** RFC 8252 sections 7.2 and 8.3: what is installed is reached at loopback without TLS, and at no other place so. */
const fitsDevice = ({ protocol, hostname }: URL): boolean =>
  protocol === 'http:' ? loopbacks.has(hostname) : protocol !== 'https:' || !loopbacks.has(hostname)

export const isWeb = (uri: string): boolean => /^https?:/i.test(uri)

/** Where an address leads, as people are told: a host, or the scheme, for what stands as the host behind one of its own leads nowhere. */
export const placeOf = (uri: string): string => {
  if (!URL.canParse(uri)) return ''
  const { host, protocol } = new URL(uri)
  return isWeb(uri) ? host : protocol
}

/** An address as policies of pages name it (CSP Level 3 section 2.3.1): a scheme of its own has no origin. */
export const sourceOf = (uri: string): string | undefined => {
  if (!URL.canParse(uri)) return undefined
  const { origin, protocol } = new URL(uri)
  return origin === 'null' ? protocol : origin
}

/**
 * RFC 9700 section 2.1 and RFC 8252: absolute, read alike by everybody, without fragment, user-info or wildcard; of a native
 * client also a scheme of its own, which holds a dot because it is a domain turned round.
 */
export const checkRedirectUris = (field: string, uris: readonly string[], native: boolean): void => {
  for (const [i, uri] of uris.entries()) {
    const url = URL.canParse(uri) ? new URL(uri) : undefined
    const own = native && url !== undefined && /^[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+:$/.test(url.protocol)
    const web = url?.protocol === 'https:' || url?.protocol === 'http:'
    const plain =
      url !== undefined &&
      !uri.includes('#') &&
      !uri.includes('*') &&
      !uri.includes('\\') &&
      url.username === '' &&
      url.password === ''
    // What a parser would change could be read as another address by the next one.
    const canonical = url !== undefined && (url.href === uri || url.href === `${uri}/` || own)
    if (plain && (own || (web && canonical && (!native || fitsDevice(url))))) continue
    const scheme = native
      ? 'https, http at localhost, 127.0.0.1 or [::1], or own (with a dot in its scheme)'
      : 'http or https'
    throw invalidParams(
      `${field}.${i}`,
      `an absolute ${scheme} address in its plain form, without fragment, user-info or *`,
    )
  }
}

/** OpenID Connect Back-Channel Logout section 2.2: absolute and without fragment; and without user-info, as it is logged. */
export const checkLogoutUri = (field: string, uri: string): void => {
  const url = URL.canParse(uri) ? new URL(uri) : undefined
  if (url && isWeb(url.href) && url.username === '' && url.password === '' && !uri.includes('#')) return
  throw invalidParams(field, 'an absolute http or https address, without fragment and user-info')
}
