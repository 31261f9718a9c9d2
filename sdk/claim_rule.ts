/**
 * Whether a caller's claims satisfy one pattern. `engineers.*` is satisfied by any claim below `engineers`
 * (`engineers.tickets.read`), not by `engineers` itself and not by `engineersx.y`. Case counts.
 */
export const matchesClaim = (pattern: string, claims: Iterable<string>): boolean => {
  const prefix = pattern.endsWith('.*') ? pattern.slice(0, -1) : undefined
  for (const claim of claims) {
    if (prefix === undefined ? claim === pattern : claim.startsWith(prefix)) return true
  }
  return false
}

/** A rule is one pattern or a list of which any suffices; an empty list asks for nothing. */
export const satisfiesRule = (rule: string | readonly string[], claims: Iterable<string>): boolean => {
  const patterns = typeof rule === 'string' ? [rule] : rule
  const held = [...claims]
  return patterns.length === 0 || patterns.some((pattern) => matchesClaim(pattern, held))
}
