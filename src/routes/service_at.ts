import type { Routes } from './routes.ts'

/** Returns the service of the route that a resource indicator (RFC 8707) names: empty for a route without one, undefined without a route. */
export type ServiceAt = (resource: string) => Promise<string | undefined>

export const serviceAtOf =
  (routes: Pick<Routes, 'table'>): ServiceAt =>
  async (resource) => {
    if (!URL.canParse(resource)) return undefined
    const { hostname, pathname } = new URL(resource)
    const host = (await routes.table()).at(hostname)
    const plan = host?.match(pathname)
    return host && (plan === 'ambiguous' ? '' : (plan?.route.service ?? ''))
  }
