import { invalidParams } from '../contract/errors.ts'
import { NetworkSet } from '../contract/networks.ts'

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

/** Names that resolve inside a private network only: without a dot, or below these (RFC 6762, RFC 8375, and as routers use them). */
const privateName = /^(?!localhost$)[a-z0-9-]+$|\.(local|home\.arpa|internal|lan)$/

/** Whether this is plain http in a private network, where an administrator may reach an app without TLS. */
export const isPrivateHttp = (uri: string): boolean => {
  if (!URL.canParse(uri)) return false
  const { protocol, hostname } = new URL(uri)
  const isPrivate = privateName.test(hostname) || privateNetworks.has(hostname.replace(/^\[|\]$/g, ''))
  return protocol === 'http:' && isPrivate
}

const privateNetworks = new NetworkSet([
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '169.254.0.0/16',
  'fc00::/7',
  'fe80::/10',
])

/** Schemes that a browser or the system opens itself, so that no app owns them. */
const takenSchemes = new Set(
  'about blob chrome content data facetime file filesystem ftp geo git http https imap intent irc jar javascript ldap mailto market ms-settings news nntp res resource sftp sip sips sms smb ssh tel urn vbscript view-source ws wss xmpp'
    .split(' ')
    .map((scheme) => `${scheme}:`),
)

/** RFC 8252 section 7.1: a reversed domain name, which contains a dot. Administrators may also enter another that an app uses. */
const isCustomScheme = ({ protocol }: URL, byAdministrator: boolean): boolean =>
  /^[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+:$/.test(protocol) ||
  (byAdministrator && /^[a-z][a-z0-9+-]*:$/.test(protocol) && !takenSchemes.has(protocol))

/** Native apps (RFC 8252) rarely declare themselves, but their redirect URIs show it. */
export const looksNative = (uris: readonly string[]): boolean =>
  uris.some((uri) => isLoopback(uri) || !isWeb(uri))

/** Why this cannot be a redirect URI, or undefined. */
export const redirectUriFault = (
  uri: string,
  { native, byAdministrator = false }: { readonly native: boolean; readonly byAdministrator?: boolean },
): string | undefined => {
  const url = URL.canParse(uri) ? new URL(uri) : undefined
  const isPlain = url !== undefined && !/[#*\\]/.test(uri) && url.username === '' && url.password === ''
  const custom = url !== undefined && native && isCustomScheme(url, byAdministrator)
  const isHttp = url?.protocol === 'https:' || url?.protocol === 'http:'
  // Another parser could read a URI differently if parsing changes it.
  const canonical = url !== undefined && (url.href === uri || url.href === `${uri}/`)
  const fits =
    custom || (isHttp && canonical && (!native || fitsDevice(url) || (byAdministrator && isPrivateHttp(uri))))
  if (isPlain && fits) return undefined
  const schemes = native
    ? `https, http at localhost, 127.0.0.1 or [::1]${byAdministrator ? ' or in a private network' : ''}, or custom-scheme${byAdministrator ? '' : ' (with a dot in the scheme)'}`
    : 'http or https'
  return `an absolute ${schemes} URI in its normal form, without fragment, user-info or *`
}

/**
 * RFC 9700 section 2.1 and RFC 8252: URIs must be absolute and unambiguous, without fragment, user-info or wildcard. A
 * native client may also use a custom scheme. Throws invalid_params.
 */
export const checkRedirectUris = (
  field: string,
  uris: readonly string[],
  rules: Parameters<typeof redirectUriFault>[1],
): void => {
  for (const [i, uri] of uris.entries()) {
    const fault = redirectUriFault(uri, rules)
    if (fault !== undefined) throw invalidParams(`${field}.${i}`, fault)
  }
}

/**
 * OpenID Connect Back-Channel Logout section 2.2: absolute and without fragment; also without user-info, because it is
 * logged.
 */
export const checkWebUri = (field: string, uri: string): void => {
  const url = URL.canParse(uri) ? new URL(uri) : undefined
  if (url && isWeb(url.href) && url.username === '' && url.password === '' && !uri.includes('#')) return
  throw invalidParams(field, 'an absolute http or https URI, without fragment and user-info')
}
