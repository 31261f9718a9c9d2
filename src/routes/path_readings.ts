/** Overlong UTF-8 for ASCII (`%c0%af` is a slash), which old decoders accept. */
const overlong = /([\u00c0\u00c1])([\u0080-\u00bf])/g

const decodeOnce = (path: string): string =>
  path
    .replaceAll(/%([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    .replaceAll(overlong, (_, first: string, second: string) =>
      String.fromCharCode(((first.charCodeAt(0) & 1) << 6) | (second.charCodeAt(0) & 0x3f)),
    )

const withoutParameters = (path: string): string => path.replaceAll(/;[^/\\]*/g, '')

/** All texts that a path can become by decoding it up to twice and removing `;parameters` before, between or after. */
export const decodings = (path: string): ReadonlySet<string> => {
  let texts = new Set([path])
  for (let i = 0; i < 3; i++) {
    const next = new Set<string>()
    for (const text of texts) {
      for (const read of text.includes(';') ? [text, withoutParameters(text)] : [text]) {
        next.add(read)
        // Twice, because an upstream behind another proxy may decode again.
        if (i < 2) next.add(decodeOnce(read))
      }
    }
    texts = next
  }
  return texts
}

/** The text with lookalikes of ASCII characters as ASCII. */
export const folded = (text: string): string => Buffer.from(text, 'latin1').toString('utf8').normalize('NFKC')

/**
 * The ways in which lenient upstreams might read a path: decoded, with several slashes or a backslash as one slash,
 * without `;parameters`, in lower case, with lookalikes of ASCII letters as ASCII, without control characters. Only
 * compared, never forwarded.
 */
export const readings = (path: string): ReadonlySet<string> => {
  const found = new Set<string>()
  for (const text of decodings(path)) {
    const ascii = folded(text)
    // An encoded query, fragment or NUL may end the path for a parser that decodes again.
    for (const read of [ascii, ascii.replace(/[?#\0].*$/s, '')]) {
      found.add(
        read
          .replaceAll(/[\u0000-\u001f\u007f]/g, '')
          .replaceAll(/[/\\]+/g, '/')
          .toLowerCase(),
      )
    }
  }
  return found
}
