import type { ShowRefusal } from '../html/show_refusal.ts'
import { isJson } from '../wire/media_type.ts'
import { spellsReserved } from '../routes/reserved_paths.ts'
import type { Home } from '../contract/home.ts'
import type { HostKind, OwnPath, OwnPathHandler, OwnPathTable, RouteSwitches } from '../wire/own_path.ts'
import { notFoundRefusal } from '../wire/refusal.ts'
import type { EdgeRequest } from '../wire/request.ts'

interface Parts {
  readonly home: Home
  readonly tell: ShowRefusal
  /** For hosts without a route, where no style sheet of ours can be loaded. */
  readonly tellUnrouted: ShowRefusal
}

/** Finds the handler of an own path, by the kind of its host. */
export class OwnPaths implements OwnPathTable {
  /** Every row, as the doors list them. */
  readonly list: readonly OwnPath[]
  readonly #at: Readonly<Record<HostKind, PathsOfHost>>
  readonly #home: Home

  constructor(list: readonly OwnPath[], { home, tell, tellUnrouted }: Parts) {
    this.list = list
    this.#at = {
      home: new PathsOfHost(list, 'home', tell),
      previous: new PathsOfHost(list, 'previous', tell),
      routed: new PathsOfHost(list, 'routed', tell),
      unrouted: new PathsOfHost(list, 'unrouted', tellUnrouted),
    }
    this.#home = home
  }

  kindOf(host: string, routed: boolean): HostKind {
    if (this.#home.is(host)) return 'home'
    if (this.#home.previous.has(host)) return 'previous'
    return routed ? 'routed' : 'unrouted'
  }

  find(
    { path, method }: Pick<EdgeRequest, 'path' | 'method'>,
    at: HostKind,
    switches: RouteSwitches | undefined,
  ): OwnPathHandler | undefined {
    return this.#at[at].find(path, method, switches)
  }

  /** Whether our own paths cover everything that a route with this domain and path prefix would. */
  coverAll(domain: string, pathPrefix: string): boolean {
    return this.#at[this.kindOf(domain, true)].coverAll(pathPrefix)
  }
}

/** The rows of one path. */
interface Entry {
  readonly answer: OwnPathHandler
  /** The methods that this entry answers, if the route gets all others. */
  readonly only: ReadonlySet<string> | undefined
  /** The option of the route that switches this entry on. */
  readonly switched: keyof RouteSwitches | undefined
  /** What about the route switches this entry off. */
  readonly unless: keyof RouteSwitches | undefined
}

/** The own paths on one kind of host. */
class PathsOfHost {
  readonly #exact = new Map<string, Entry>()
  /** Paths that end in `/{name}`, by the part before it. */
  readonly #oneMore = new Map<string, Entry>()
  /** Paths that end in `/*`, by the part before the star, the longest first. */
  readonly #below: { readonly start: string; readonly entry: Entry }[] = []
  readonly #nothing: OwnPathHandler

  constructor(list: readonly OwnPath[], kind: HostKind, tell: ShowRefusal) {
    this.#nothing = answerNothing(tell)
    const here = list.filter(({ at }) => at.includes(kind))
    for (const [path, rows] of Map.groupBy(here, (row) => row.path)) {
      const entry = entryOf(rows, tell)
      if (path.endsWith('/*')) this.#below.push({ start: path.slice(0, -1), entry })
      else if (path.endsWith('}')) this.#oneMore.set(path.slice(0, path.lastIndexOf('/')), entry)
      else this.#exact.set(path, entry)
    }
    this.#below.sort((a, b) => b.start.length - a.start.length)
  }

  find(path: string, method: string, switches: RouteSwitches | undefined): OwnPathHandler | undefined {
    const found = this.#exact.get(path) ?? this.#withOneMore(path) ?? this.#startOf(path)
    if (found === undefined) return spellsReserved(path) ? this.#nothing : undefined
    const { only, switched, unless, answer } = found
    if (switched !== undefined && switches?.[switched] !== true) return undefined
    if (unless !== undefined && switches?.[unless] === true) return undefined
    return only && !only.has(asGet(method)) ? undefined : answer
  }

  coverAll(pathPrefix: string): boolean {
    if (spellsReserved(pathPrefix)) return true
    const below = this.#startOf(`${pathPrefix}/`) !== undefined
    return below && (this.#exact.has(pathPrefix) || this.#startOf(pathPrefix) !== undefined)
  }

  #withOneMore(path: string): Entry | undefined {
    if (this.#oneMore.size === 0 || path.endsWith('/')) return undefined
    return this.#oneMore.get(path.slice(0, path.lastIndexOf('/')))
  }

  /** Runs for every request, so it is a loop, which allocates nothing. */
  #startOf(path: string): Entry | undefined {
    for (const { start, entry } of this.#below) if (path.startsWith(start)) return entry
    return undefined
  }
}

const asGet = (method: string): string => (method === 'HEAD' ? 'GET' : method)

const answerNothing =
  (tell: ShowRefusal): OwnPathHandler =>
  (request, response, asked) =>
    tell(request, response, asked, notFoundRefusal)

const entryOf = (rows: readonly OwnPath[], tell: ShowRefusal): Entry => {
  const nothing = answerNothing(tell)
  const handlerOf = ({ handler }: OwnPath): OwnPathHandler =>
    typeof handler === 'function' ? handler : nothing
  const methods = new Set(rows.flatMap((row) => row.methods))
  const only = rows.every(({ otherMethods }) => otherMethods === 'route') ? methods : undefined
  const { while: switched, unless } = rows[0]!
  if (methods.size === 0) return { answer: handlerOf(rows[0]!), only: undefined, switched, unless }
  const allow = [...methods].join(', ')
  const answer: OwnPathHandler = (request, response, asked) => {
    const method = asGet(request.method!)
    const [row, other] = rows.filter((each) => each.methods.includes(method))
    if (!row) {
      return tell(request, response, asked, {
        status: 405,
        reason: 'method_not_allowed',
        values: { allow },
        code: 'method_not_allowed',
        headers: { allow },
      })
    }
    const json = other && isJson(request.headers['content-type'])
    const taker = other && (row.takes === 'json') !== json ? other : row
    return handlerOf(taker)(request, response, asked)
  }
  return { answer, only, switched, unless }
}
