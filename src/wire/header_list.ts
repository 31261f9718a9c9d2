// Headers as a flat list, exactly as received: name, value, name, value.

/** All values of a header; `name` is in lower case. */
export const valuesOf = (rawHeaders: readonly string[], name: string): string[] =>
  rawHeaders.filter((_, i) => i % 2 === 1 && rawHeaders[i - 1]!.toLowerCase() === name)

/** A name as CGI, WSGI and similar interfaces read it: they treat every character except letters and digits alike (CVE-2025-64484). */
export const fold = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]/g, '-')

/** Headers from which a service may read another method than the one that we checked. */
export const methodOverrides: ReadonlySet<string> = new Set([
  'x-http-method-override',
  'x-http-method',
  'x-method-override',
])

export const overridesMethod = (name: string): boolean => methodOverrides.has(fold(name))

/** The longest name, in characters, that is cached. */
export const maxCachedNameLength = 64

/** Headers about one connection (RFC 9110 section 7.6.1). They are never forwarded. */
export const hopByHop: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
])

/** The names in a Connection header: these headers are for this hop only (RFC 9110 section 7.6.1). */
export const listedIn = (connection: string): string[] =>
  connection.split(',').map((name) => name.trim().toLowerCase())
