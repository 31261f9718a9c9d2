import { OwnPaths } from '../edge/own_paths.ts'
import { edgePaths } from '../edge/paths.ts'
import type { Readiness } from '../health/readiness.ts'
import { pagePaths } from '../pages/paths.ts'
import type { ShowRefusal } from '../html/show_refusal.ts'
import type { HeroAuth } from '../rest/hero_auth.ts'
import { restPaths } from '../rest/paths.ts'
import { rpcPaths } from '../rpc/paths.ts'
import type { Home } from '../contract/home.ts'
import type { OwnPath } from '../wire/own_path.ts'

/** Paths that are reserved at home although this version serves nothing there: no route can have them. */
const reserved = [
  '/.well-known/*',
  '/admin',
  '/admin/*',
  '/mcp',
  '/mcp/*',
  '/api/v1',
  '/api/v1/*',
  '/oauth/*',
].map((path): OwnPath => ({ path, methods: [], at: ['home'] }))

interface Parts {
  readonly pages: Parameters<typeof pagePaths>[0]
  readonly rpc: Parameters<typeof rpcPaths>[0]
  readonly heroAuth: HeroAuth
  readonly readiness: Readiness
  readonly tell: ShowRefusal
  readonly tellUnrouted: ShowRefusal
  readonly home: Home
}

/** Lists the own paths of all doors. */
export const createOwnPaths = ({ pages, rpc, heroAuth, readiness, ...parts }: Parts): OwnPaths => {
  const list = [
    ...pagePaths(pages),
    ...rpcPaths(rpc),
    ...restPaths(heroAuth, parts.tell),
    ...edgePaths(readiness),
    ...reserved,
  ]
  refuseOverlaps(list)
  return new OwnPaths(list, parts)
}

/** Throws if two rows cover the same request: one of them would never answer. */
export const refuseOverlaps = (list: readonly OwnPath[]): void => {
  for (const rows of Map.groupBy(list, pattern).values())
    rows.forEach((row, i) => {
      const other = rows.slice(i + 1).find((later) => overlap(row, later))
      if (other) throw new Error(`two own paths overlap: ${text(row)} and ${text(other)}`)
    })
}

/** Two paths that differ only in the name of the last segment are the same. */
const pattern = ({ path }: OwnPath) => path.replace(/\{\w+\}$/, '{}')

/** Of two rows with one pattern. */
const overlap = (a: OwnPath, b: OwnPath): boolean => {
  if (!a.at.some((kind) => b.at.includes(kind))) return false
  const both = a.methods.filter((method) => b.methods.includes(method))
  if (both.length === 0) return a.methods.length === 0 || b.methods.length === 0
  const apart = a.takes !== undefined && b.takes !== undefined && a.takes !== b.takes
  return !(apart && both.join() === 'POST')
}

const text = ({ path, methods, at }: OwnPath) =>
  `${methods.join(', ') || 'every method'} ${path} at ${at.join(', ')}`
