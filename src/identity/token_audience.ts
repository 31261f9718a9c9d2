import type { EdgeRequest } from '../wire/request.ts'

/** Whether the resource that a token is for (RFC 8707) covers what is asked for: the same host, and the path or one above it. */
export const leadsTo = (resource: string, { host, path }: EdgeRequest): boolean => {
  if (!URL.canParse(resource)) return false
  const { hostname, pathname, protocol } = new URL(resource)
  if (hostname !== host || !/^https?:$/.test(protocol)) return false
  const above = pathname.replace(/\/$/, '')
  // What services could read as another path is under none.
  if (above !== '' && /[%\\;]|\/\.|\/\//.test(path)) return false
  return path === pathname || path === above || path.startsWith(`${above}/`)
}
