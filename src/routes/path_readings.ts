/**
 * Overlong UTF-8 for ASCII (`%c0%af` and `%e0%80%af` are slashes), which old decoders accept. Only the lowest bit of the last byte
 * but one counts.
 */
const overlong = /(?:[\u00c0\u00c1]|\u00e0[\u0080\u0081]|\u00f0\u0080[\u0080\u0081])[\u0080-\u00bf]/g

const fromOverlong = (bytes: string): string =>
  String.fromCharCode(
    ((bytes.charCodeAt(bytes.length - 2) & 1) << 6) | (bytes.charCodeAt(bytes.length - 1) & 0x3f),
  )

/** The value of a hexadecimal digit; 255 for any other character. */
const digits = Uint8Array.from({ length: 128 }, (_, code) => {
  const character = String.fromCharCode(code)
  return /[0-9a-f]/i.test(character) ? Number.parseInt(character, 16) : 255
})

const digitAt = (text: string, index: number): number => digits[text.charCodeAt(index)] ?? 255

const decodeOnce = (path: string): string => {
  const [start = '', ...parts] = path.split('%')
  let text = start
  for (const part of parts) {
    const high = digitAt(part, 0)
    const low = digitAt(part, 1)
    text += high < 16 && low < 16 ? String.fromCharCode(high * 16 + low) + part.slice(2) : `%${part}`
  }
  return text.replaceAll(overlong, fromOverlong)
}

/** Where `;parameters` end depends on whether the reader takes a backslash for a slash, before or after it removes them. */
const parameters = [/;[^/\\]*/g, /;[^/]*/g]
const controls = /[\u0000-\u001f\u007f]/g

const inUtf8 = (bytes: string): string => Buffer.from(bytes, 'latin1').toString('utf8')

/** Sorting a run of marks takes the square of its length. No language has so long ones (UAX 15, D3), and none of it is ASCII. */
const longRuns = /(\p{M}{30})\p{M}+/gu

/**
 * The text with lookalikes of ASCII characters as ASCII. Each character below U+0100 of a text that was decoded is a byte, also
 * beside characters that an earlier reading made of such bytes.
 */
export const folded = (text: string): string =>
  (/[^\u0000-\u00ff]/.test(text) ? text.replaceAll(/[\u0080-\u00ff]+/g, inUtf8) : inUtf8(text))
    .replaceAll(longRuns, '$1')
    .normalize('NFKC')

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

/**
 * What the readings of one path may cost, in characters of the texts that we look at. An ordinary path with escapes needs three
 * or four for each of its own. A short one may have many readings: together they are still few characters.
 */
const mayCost = (path: string): number => Math.max(96 * 1024, 5 * path.length)

/** All texts that a path can become by decoding it up to twice and being read leniently before, between or after. */
const decode = (path: string): ReadonlySet<string> | undefined => {
  const texts = new Set([path])
  let left = mayCost(path)
  let latest = [path]
  for (let i = 0; i < 3; i++) {
    const before = latest
    latest = []
    const add = (text: string) => {
      left -= text.length
      if (texts.has(text)) return
      texts.add(text)
      latest.push(text)
    }
    for (const read of before.values().flatMap(lenient)) {
      add(read)
      // Twice, because an upstream behind another proxy may decode again.
      if (i < 2) add(decodeOnce(read))
      if (left < 0) return undefined
    }
  }
  return texts
}

const read = (texts: ReadonlySet<string>): ReadonlySet<string> => {
  const found = new Set<string>()
  for (const text of texts) {
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

interface Readings {
  /** All texts that the path can become by decoding it up to twice and being read leniently before, between or after. */
  readonly decodings: ReadonlySet<string>
  /**
   * The ways in which lenient upstreams might read it: decoded, with several slashes or a backslash as one slash, without
   * `;parameters`, in lower case, with lookalikes of ASCII letters as ASCII, without control characters.
   */
  readonly paths: ReadonlySet<string>
}

/** The readings of a path, only to be compared, never forwarded. Undefined if there are too many to look at: then it must be refused. */
export const readings = (path: string): Readings | undefined => {
  if (!recent.has(path)) {
    for (const [oldest] of recent) if (recent.size >= maxRecent) recent.delete(oldest)
    const decodings = decode(path)
    recent.set(path, decodings && { decodings, paths: read(decodings) })
  }
  return recent.get(path)
}

/** Several checks of one request ask in turn, for its path and for what is left of it without a prefix. */
const recent = new Map<string, Readings | undefined>()
const maxRecent = 2

/** Whether a path has a reading of this kind, or could have: too many to look at. */
export const someReading = (path: string, is: (reading: string) => boolean): boolean =>
  readings(path)?.paths.values().some(is) ?? true
