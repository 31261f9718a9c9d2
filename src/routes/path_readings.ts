/** Overlong UTF-8 for ASCII (`%c0%af` is a slash), which old decoders accept. */
const overlong = /([\u00c0\u00c1])([\u0080-\u00bf])/g

const decodeOnce = (path: string): string =>
  path
    .replaceAll(/%([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    .replaceAll(overlong, (_, first: string, second: string) =>
      String.fromCharCode(((first.charCodeAt(0) & 1) << 6) | (second.charCodeAt(0) & 0x3f)),
    )

/** Where `;parameters` end depends on whether the reader takes a backslash for a slash, before or after it removes them. */
const parameters = [/;[^/\\]*/g, /;[^/]*/g]
const controls = /[\u0000-\u001f\u007f]/g

/** The text with lookalikes of ASCII characters as ASCII. Each character of a text that was only decoded is a byte. */
export const folded = (text: string): string =>
  (/[^\u0000-\u00ff]/.test(text) ? text : Buffer.from(text, 'latin1').toString('utf8')).normalize('NFKC')

const both = (texts: string[], change: (text: string) => string): string[] =>
  texts.flatMap((text) => {
    const changed = change(text)
    return changed === text ? [text] : [text, changed]
  })

/**
 * A text as it is, with lookalikes as ASCII, without `;parameters`, and each of these without control characters: any of it may
 * uncover an escape, which is decoded next.
 */
const lenient = (text: string): string[] => {
  const seen = /[^\u0000-\u007f]/.test(text) ? both([text], folded) : [text]
  const bare = seen.flatMap((each) =>
    each.includes(';') ? [each, ...parameters.map((pattern) => each.replaceAll(pattern, ''))] : [each],
  )
  return both(bare, (each) => each.replaceAll(controls, ''))
}

/** All texts that a path can become by decoding it up to twice and being read leniently before, between or after. */
export const decodings = (path: string): ReadonlySet<string> => {
  let texts = new Set([path])
  for (let i = 0; i < 3; i++) {
    const next = new Set<string>()
    for (const text of texts) {
      for (const read of lenient(text)) {
        next.add(read)
        // Twice, because an upstream behind another proxy may decode again.
        if (i < 2) next.add(decodeOnce(read))
      }
    }
    texts = next
  }
  return texts
}

/**
 * The ways in which lenient upstreams might read a path: decoded, with several slashes or a backslash as one slash,
 * without `;parameters`, in lower case, with lookalikes of ASCII letters as ASCII, without control characters. Only
 * compared, never forwarded.
 */
export const readings = (path: string): ReadonlySet<string> => {
  // Several checks of one request ask in turn.
  if (last.path !== path) last = { path, found: read(path) }
  return last.found
}

let last: { readonly path: string; readonly found: ReadonlySet<string> } = { path: '', found: new Set(['']) }

const read = (path: string): ReadonlySet<string> => {
  const found = new Set<string>()
  for (const text of decodings(path)) {
    const ascii = folded(text)
    // An encoded query, fragment or NUL may end the path for a parser that decodes again.
    for (const read of [ascii, ascii.replace(/[?#\0].*$/s, '')]) {
      found.add(
        read
          .replaceAll(controls, '')
          .replaceAll(/[/\\]+/g, '/')
          .toLowerCase(),
      )
    }
  }
  return found
}
