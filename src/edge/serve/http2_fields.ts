/** Headers about a connection are malformed in HTTP/2 (RFC 9113 section 8.2.2). */
const connectionFields: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
])
const token = /^[!#$%&'*+.^_`|~0-9a-z-]+$/
const value = /^[\t\u0020-\u007e\u0080-\u00ff]*$/

export const isConnectionField = (name: unknown): boolean => connectionFields.has(String(name).toLowerCase())

/** Whether an HTTP/1.1 head must not hold a header of this name. */
export const isInvalidName = (name: string): boolean => !token.test(name) || connectionFields.has(name)

/** Whether a head may hold this value: a line break would start a header of its own. */
export const isPlainValue = (text: string): boolean => value.test(text)

/** Bytes of the fields of a head, as HTTP/1.1 writes them. All cookies stand in one header there. */
export const fieldBytes = (received: readonly string[]): number => {
  let bytes = 0
  for (let i = 0; i < received.length; i += 2)
    bytes += received[i + 1]!.length + (received[i] === 'cookie' ? 2 : received[i]!.length + 4)
  return bytes
}

/**
 * The headers of a stream in the form of an HTTP/1.1 request: one Host, no pseudo-headers, and all cookies in one header
 * (RFC 9113 sections 8.2.3 and 8.3.1). `received` is a flat list with names in lower case.
 */
export const http1Headers = (authority: string | undefined, received: readonly string[]): string[] => {
  const list = authority === undefined ? [] : ['Host', authority]
  let cookieAt = -1
  for (let i = 0; i < received.length; i += 2) {
    const name = received[i]!
    const text = received[i + 1]!
    if (name.startsWith(':')) continue
    // A Host equal to :authority repeats it. A different one stays, as a second Host, and is refused later.
    if (name === 'host' && text === authority) continue
    if (name !== 'cookie') list.push(name, text)
    else if (cookieAt >= 0) list[cookieAt] += `; ${text}`
    else cookieAt = list.push(name, text) - 1
  }
  return list
}
