import { invalidParams } from '../contract/errors.ts'

const loopbacks = new Set(['localhost', '127.0.0.1', '[::1]'])

export const isLoopback = (uri: string): boolean => {
  const url = URL.canParse(uri) ? new URL(uri) : undefined
  return url?.protocol === 'http:' && loopbacks.has(url.hostname)
}

/** RFC 8252 sections 7.2 and 8.3: a native app is reached at loopback without TLS, and without TLS nowhere else. */
const fitsDevice = ({ protocol, hostname }: URL): boolean =>
  protocol === 'http:' ? loopbacks.has(hostname) : protocol !== 'https:' || !loopbacks.has(hostname)

export const isWeb = (uri: string): boolean => /^https?:/i.test(uri)

/**
 * The destination of a URI to show to users: a host, or only the scheme, because the host of a custom scheme leads
 * nowhere.
 */
export const destinationOf = (uri: string): string => {
  if (!URL.canParse(uri)) return ''
  const { host, protocol } = new URL(uri)
  return isWeb(uri) ? host : protocol
}

/** A URI as a source in a Content Security Policy (CSP Level 3 section 2.3.1): a custom scheme has no origin. */
export const cspSourceOf = (uri: string): string | undefined => {
  if (!URL.canParse(uri)) return undefined
  const { origin, protocol } = new URL(uri)
  return origin === 'null' ? protocol : origin
}

/**
 * RFC 9700 section 2.1 and RFC 8252: URIs must be absolute and unambiguous, without fragment, user-info or wildcard. A
 * native client may also use a custom scheme, which contains a dot because it is a reversed domain name.
 */
export const checkRedirectUris = (field: string, uris: readonly string[], native: boolean): void => {
  for (const [i, uri] of uris.entries()) {
    const url = URL.canParse(uri) ? new URL(uri) : undefined
    const isCustomScheme =
      native && url !== undefined && /^[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+:$/.test(url.protocol)
    const isHttp = url?.protocol === 'https:' || url?.protocol === 'http:'
    const isPlain =
      url !== undefined &&
      !uri.includes('#') &&
      !uri.includes('*') &&
      !uri.includes('\\') &&
      url.username === '' &&
      url.password === ''
    // Another parser could read a URI differently if parsing changes it.
    const canonical = url !== undefined && (url.href === uri || url.href === `${uri}/` || isCustomScheme)
    if (isPlain && (isCustomScheme || (isHttp && canonical && (!native || fitsDevice(url))))) continue
    const scheme = native
      ? 'https, http at localhost, 127.0.0.1 or [::1], or custom-scheme (with a dot in the scheme)'
      : 'http or https'
    throw invalidParams(
      `${field}.${i}`,
      `an absolute ${scheme} URI in its normal form, without fragment, user-info or *`,
    )
  }
}

/**
 * OpenID Connect Back-Channel Logout section 2.2: absolute and without fragment; also without user-info, because it is
 * logged.
 */
export const checkLogoutUri = (field: string, uri: string): void => {
  const url = URL.canParse(uri) ? new URL(uri) : undefined
  if (url && isWeb(url.href) && url.username === '' && url.password === '' && !uri.includes('#')) return
  throw invalidParams(field, 'an absolute http or https URI, without fragment and user-info')
}
