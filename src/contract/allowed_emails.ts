interface Allowed {
  readonly addresses: ReadonlySet<string>
  readonly domains: ReadonlySet<string>
}

/** Parsed lists. A list is the same object until the routes change. */
const parsedLists = new WeakMap<readonly string[], Allowed>()

const allowedBy = (patterns: readonly string[]): Allowed => {
  let allowed = parsedLists.get(patterns)
  if (!allowed) {
    const lower = patterns.map((pattern) => pattern.toLowerCase())
    allowed = {
      addresses: new Set(lower.filter((pattern) => !pattern.startsWith('*@'))),
      domains: new Set(
        lower.filter((pattern) => pattern.startsWith('*@')).map((pattern) => pattern.slice(2)),
      ),
    }
    parsedLists.set(patterns, allowed)
  }
  return allowed
}

/**
 * Whether a route's `allowed_emails` accept this address: an exact address, or `*@domain` for exactly this domain, in
 * any case; never a suffix of a domain. An empty list accepts everyone.
 */
export const allowsEmail = (patterns: readonly string[], email: string | null): boolean => {
  if (patterns.length === 0) return true
  if (email === null) return false
  const { addresses, domains } = allowedBy(patterns)
  const address = email.toLowerCase()
  const [, domain = '', ...more] = address.split('@')
  return more.length === 0 && (addresses.has(address) || domains.has(domain))
}
