type Fields = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The members by which the entries of a list name a group, the best first. */
const nameMembers = ['name', 'value', 'slug', 'display', 'id'] as const

/**
 * Finds a claim by its name, which may contain dots (`https://example.org/groups`), or else by a path (`realm_access.roles`). A path
 * leads through the entries of lists.
 */
const valuesAt = (value: unknown, path: string): readonly unknown[] => {
  if (Array.isArray(value)) return value.flatMap((entry) => valuesAt(entry, path))
  if (!isObject(value)) return []
  if (Object.hasOwn(value, path)) return [value[path]]
  for (let dot = path.indexOf('.'); dot > 0; dot = path.indexOf('.', dot + 1)) {
    const name = path.slice(0, dot)
    if (Object.hasOwn(value, name)) return valuesAt(value[name], path.slice(dot + 1))
  }
  return []
}

/** The groups that a value names: one, a list separated by commas, a list of names or objects, or the keys of an object. */
const namesIn = (value: unknown): readonly string[] => {
  if (typeof value === 'string') return isDistinguishedName(value) ? [value] : value.split(',')
  if (typeof value === 'number') return [String(value)]
  if (Array.isArray(value)) return value.flatMap(nameOf)
  // `{"editors": {…}, "admins": false}`: what is false or null is not held.
  if (isObject(value))
    return Object.entries(value).flatMap(([name, held]) => (held === false || held === null ? [] : name))
  return []
}

/** A name of LDAP contains commas (RFC 4514). */
const isDistinguishedName = (text: string): boolean => /^[A-Za-z]+=/.test(text)

const nameOf = (entry: unknown): string | readonly string[] => {
  if (typeof entry === 'string') return entry
  if (typeof entry === 'number') return String(entry)
  if (!isObject(entry)) return []
  const name = nameMembers.map((member) => entry[member]).find((one) => typeof one === 'string' && one !== '')
  return typeof name === 'string' ? name : typeof entry.id === 'number' ? String(entry.id) : []
}

/** The groups that a provider names at this claim. */
export const groupsAt = (fields: Fields, claim: string): readonly string[] => [
  ...new Set(
    valuesAt(fields, claim)
      .flatMap(namesIn)
      .map((name) => name.trim())
      .filter((name) => name !== ''),
  ),
]
