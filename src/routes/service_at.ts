import type { Routes } from './routes.ts'

/** Returns the service of the route at an address: empty for a route without one, undefined without a route. */
export const serviceAtOf = (routes: Pick<Routes, 'table'>) => async (resource: string) => {
  if (!URL.canParse(resource)) return undefined
  const { hostname, pathname } = new URL(resource)
  const host = (await routes.table()).at(hostname)
  const plan = host?.match(pathname)
  return host && (plan === 'ambiguous' ? '' : (plan?.route.service ?? ''))
}
