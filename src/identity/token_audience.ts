import type { EdgeRequest } from '../wire/request.ts'

/** Whether the resource of a token (RFC 8707) covers a request: the same host, and the same path or a path above it. */
export const leadsTo = (resource: string, { host, path }: EdgeRequest): boolean => {
  if (!URL.canParse(resource)) return false
  const { hostname, pathname, protocol } = new URL(resource)
  if (hostname !== host || !/^https?:$/.test(protocol)) return false
  const above = pathname.replace(/\/$/, '')
  // A service could read such a path as another one, so no resource covers it.
  if (above !== '' && /[%\\;]|\/\.|\/\//.test(path)) return false
  return path === pathname || path === above || path.startsWith(`${above}/`)
}
