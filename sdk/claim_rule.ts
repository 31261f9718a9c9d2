/**
 * Whether the claims of a caller satisfy a pattern. `engineers.*` is satisfied by any claim below `engineers`, such as
 * `engineers.tickets.read`, but not by `engineers` itself or by `engineersx.y`. Patterns are case-sensitive.
 */
export const matchesClaim = (pattern: string, claims: Iterable<string>): boolean => {
  const prefix = pattern.endsWith('.*') ? pattern.slice(0, -1) : undefined
  for (const claim of claims) {
    if (prefix === undefined ? claim === pattern : claim.startsWith(prefix)) return true
  }
  return false
}

/** Whether the claims satisfy a rule: a pattern, or a list of patterns, any one of which is sufficient. An empty list requires nothing. */
export const satisfiesRule = (rule: string | readonly string[], claims: Iterable<string>): boolean => {
  const patterns = typeof rule === 'string' ? [rule] : rule
  const held = [...claims]
  return patterns.length === 0 || patterns.some((pattern) => matchesClaim(pattern, held))
}
