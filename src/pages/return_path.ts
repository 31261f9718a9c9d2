const here = 'http://door.invalid'
/** The path of a service has up to 4096 characters, and stands percent-encoded in a path of home. */
const maxLength = 13_000

const staysHere = (path: string): boolean => {
  // URL parsers drop tabs and newlines and read a backslash as a slash, so a return path may contain none of them.
  if (!path.startsWith('/') || /^\/[/\\]/.test(path) || /[\u0000-\u0020\u007f\\]/.test(path)) return false
  if (!URL.canParse(path, here)) return false
  const url = new URL(path, here)
  // Parsing removes the dot from `/.//evil.test`, and the rest is the address of another host.
  return url.origin === here && !url.pathname.startsWith('//')
}

/** Decodes every valid escape and leaves the rest, as lenient software does. */
const decodeOnce = (text: string): string =>
  text.replaceAll(/%([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))

/**
 * Splits off the fragment, which leads to no other host whatever it contains. It is dropped unless it is printable and without a
 * backslash, so that every parser ends it where we do.
 */
const parted = (value: string): readonly [path: string, fragment: string] => {
  const start = value.indexOf('#')
  if (start < 0) return [value, '']
  const fragment = value.slice(start)
  return [value.slice(0, start), /^#[\x21\x23-\x5b\x5d-\x7e]+$/.test(fragment) ? fragment : '']
}

/** Returns where to go after signing in: the path that was asked for, or else My services. */
export const onwardPath = (
  { landing }: { readonly landing: string },
  value: string | null | undefined,
): string => returnPath(value, landing)

/**
 * Returns a path on this origin, or else the fallback. The path must stay on this origin, both as it is
 * and after any software decodes it once or more (CVE-2025-27143 and similar).
 */
export const returnPath = (value: string | null | undefined, fallback = '/'): string => {
  if (value === null || value === undefined || value.length > maxLength) return fallback
  const [path, fragment] = parted(value)
  let text = path
  for (let i = 0; i < 4; i++) {
    if (!staysHere(text)) return fallback
    const decoded = decodeOnce(text)
    if (decoded === text) break
    // The path itself may contain encoded white space and control characters.
    text = decoded.replaceAll(/[\u0000-\u0020\u007f]/g, '')
  }
  const url = new URL(path, here)
  return url.pathname + url.search + fragment
}
