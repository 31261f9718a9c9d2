// Headers as a flat list: name, value, name, value, exactly as they came.

/** Every value of a header, by its name in lower case. */
export const valuesOf = (rawHeaders: readonly string[], name: string): string[] =>
  rawHeaders.filter((_, i) => i % 2 === 1 && rawHeaders[i - 1]!.toLowerCase() === name)

/** A name as CGI, WSGI and their kin fold it: all that is no letter or digit is the same to them (CVE-2025-64484). */
export const fold = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]/g, '-')

/** Headers that may make a service take a request for one of another method than the one that was judged. */
export const methodOverrides: ReadonlySet<string> = new Set([
  'x-http-method-override',
  'x-http-method',
  'x-method-override',
])

export const overridesMethod = (name: string): boolean => methodOverrides.has(fold(name))

/** Characters of a name whose treatment is remembered, at most. */
export const longestKept = 64

/** Of one connection only (RFC 9110 section 7.6.1); we make our own. */
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

/** The names that a Connection header lists: of this hop only, whatever they are (RFC 9110 section 7.6.1). */
export const listedIn = (connection: string): string[] =>
  connection.split(',').map((name) => name.trim().toLowerCase())
