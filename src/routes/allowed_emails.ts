interface Allowed {
  readonly addresses: ReadonlySet<string>
  readonly domains: ReadonlySet<string>
}

/** Lists are the same object until the routes change. */
const read = new WeakMap<readonly string[], Allowed>()

const allowedBy = (patterns: readonly string[]): Allowed => {
  let allowed = read.get(patterns)
  if (!allowed) {
    const lower = patterns.map((pattern) => pattern.toLowerCase())
    allowed = {
      addresses: new Set(lower.filter((pattern) => !pattern.startsWith('*@'))),
      domains: new Set(
        lower.filter((pattern) => pattern.startsWith('*@')).map((pattern) => pattern.slice(2)),
      ),
    }
    read.set(patterns, allowed)
  }
  return allowed
}

/**
 * Whether a route's `allowed_emails` let this address in: an exact address, or `*@domain` for this very domain, in any
 * case; never a suffix of a domain. An empty list asks for nothing.
 */
export const allowsEmail = (patterns: readonly string[], email: string | null): boolean => {
  if (patterns.length === 0) return true
  if (email === null) return false
  const { addresses, domains } = allowedBy(patterns)
  const address = email.toLowerCase()
  const [, domain = '', ...more] = address.split('@')
  return more.length === 0 && (addresses.has(address) || domains.has(domain))
}
