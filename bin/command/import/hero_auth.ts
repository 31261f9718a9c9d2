type Scope = 'read' | 'write' | 'admin'

export interface OldClient {
  readonly client: string
  readonly name: string
  readonly scopes: Scope[]
  /** Undefined if the list has no secret for the client. */
  readonly secret_sha256: string | undefined
}

export interface OldUser {
  readonly username: string
  readonly email: string | undefined
  readonly display_name: string | undefined
  readonly was_admin: boolean
}

/** An error in the file, with its place. */
class FileError extends Error {
  override readonly name = 'ConfigError'
}

type Fields = Readonly<Record<string, unknown>>

const wrong = (place: string, allowed: string): never => {
  throw new FileError(`${place}: ${allowed}`)
}

const textAt = (fields: Fields, place: string, ...names: readonly string[]): string | undefined => {
  const name = names.find((alias) => fields[alias] !== undefined && fields[alias] !== null)
  if (name === undefined) return undefined
  const value = fields[name]
  return typeof value === 'string' && value !== ''
    ? value
    : wrong(`${place}.${name}`, 'must be a text that is not empty')
}

const listAt = (fields: Fields, name: string): Fields[] => {
  const value = fields[name] ?? []
  if (!Array.isArray(value)) return wrong(name, 'must be a list')
  return value.map((item: unknown, i) =>
    typeof item === 'object' && item !== null && !Array.isArray(item)
      ? (item as Fields)
      : wrong(`${name}.${i}`, 'must be an object'),
  )
}

const scopesAt = (fields: Fields, place: string): Scope[] => {
  const given = fields.scopes ?? fields.scope ?? 'read'
  const list: unknown[] = Array.isArray(given) ? given : String(given).split(/[ ,]+/)
  const known = (scope: unknown): scope is Scope => ['read', 'write', 'admin'].includes(scope as string)
  return list.every(known) && list.length > 0
    ? [...new Set(list)]
    : wrong(`${place}.scope`, 'must be read, write or admin')
}

const clientAt = (fields: Fields, place: string, sha256: (secret: string) => string): OldClient => {
  const client = textAt(fields, place, 'client_id', 'id') ?? wrong(`${place}.client_id`, 'is missing')
  const secret = textAt(fields, place, 'client_secret', 'secret')
  const hashed = textAt(fields, place, 'client_secret_sha256', 'secret_sha256', 'secret_hash')?.toLowerCase()
  if (hashed !== undefined && !/^[0-9a-f]{64}$/.test(hashed))
    return wrong(`${place}.secret_sha256`, 'must be a SHA-256 hash in hex, with 64 digits')
  return {
    client,
    name: textAt(fields, place, 'name') ?? client,
    scopes: scopesAt(fields, place),
    secret_sha256: hashed ?? (secret === undefined ? undefined : sha256(secret)),
  }
}

const userAt = (fields: Fields, place: string): OldUser => {
  const email = textAt(fields, place, 'email')
  const username = textAt(fields, place, 'username', 'name', 'login') ?? email?.split('@')[0]
  if (username === undefined) return wrong(`${place}.username`, 'is missing, and so is email')
  return {
    // Only characters of a claim segment are allowed; all others become "-".
    username: username.replaceAll(/[^a-zA-Z0-9_-]+/g, '-').replace(/^[-_]+/, ''),
    email,
    display_name: textAt(fields, place, 'display_name', 'full_name'),
    was_admin: fields.is_admin === true || fields.scope === 'admin' || fields.role === 'admin',
  }
}

/** Reads a list of the old service: `{"clients": […], "users": […]}`. Errors contain the place of the problem, but never a secret. */
export const readHeroAuth = (
  text: string,
  sha256: (secret: string) => string,
): { clients: OldClient[]; users: OldUser[] } => {
  let list: unknown
  try {
    list = JSON.parse(text)
  } catch {
    return wrong('the file', 'must be JSON: {"clients": […], "users": […]}')
  }
  if (typeof list !== 'object' || list === null || Array.isArray(list))
    return wrong('the file', 'must be an object: {"clients": […], "users": […]}')
  const fields = list as Fields
  const unknown = Object.keys(fields).find((name) => !['clients', 'users'].includes(name))
  if (unknown !== undefined) return wrong(unknown, 'is unknown; the file may have clients and users')
  return {
    clients: listAt(fields, 'clients').map((item, i) => clientAt(item, `clients.${i}`, sha256)),
    users: listAt(fields, 'users').map((item, i) => userAt(item, `users.${i}`)),
  }
}
