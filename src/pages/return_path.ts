const here = 'http://door.invalid'

const staysHere = (path: string): boolean => {
  // URL parsers drop tabs and newlines and read a backslash as a slash: none of them has a place in a path of ours.
  if (!path.startsWith('/') || /^\/[/\\]/.test(path) || /[\u0000-\u0020\u007f\\]/.test(path)) return false
  if (!URL.canParse(path, here)) return false
  const url = new URL(path, here)
  // `/.//evil.test` is a path of ours whose dot goes away: what is left is the address of another host.
  return url.origin === here && !url.pathname.startsWith('//')
}

/** Decodes what can be decoded and leaves the rest, as lenient software does. */
const decodeOnce = (text: string): string =>
  text.replaceAll(/%([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))

/**
 * Where to go after signing in: a path on this very origin, or `/auth/me`. The value must stay here as it is and when
 * something on the way decodes it, once or more (CVE-2025-27143 and its kin).
 */
export const returnPath = (value: string | null | undefined, fallback = '/auth/me'): string => {
  if (value === null || value === undefined || value.length > 4096) return fallback
  let text = value
  for (let i = 0; i < 4; i++) {
    if (!staysHere(text)) return fallback
    const decoded = decodeOnce(text)
    if (decoded === text) break
    // Decoded white space and control characters are what the path itself may carry encoded.
    text = decoded.replaceAll(/[\u0000-\u0020\u007f]/g, '')
  }
  const url = new URL(value, here)
  return url.pathname + url.search + url.hash
}
