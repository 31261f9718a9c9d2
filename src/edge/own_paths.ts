import type { ShowRefusal } from '../html/show_refusal.ts'
import { isJson } from '../wire/media_type.ts'
import type { HostKind, OwnPath, OwnPathHandler, OwnPathTable } from '../wire/own_path.ts'
import { notFoundRefusal } from '../wire/refusal.ts'
import type { EdgeRequest } from '../wire/request.ts'

/** Finds the handler of an own path, on the host of the public URL and on every other host. */
export class OwnPaths implements OwnPathTable {
  /** Every row, as the doors list them. */
  readonly list: readonly OwnPath[]
  readonly #home: PathsOfHost
  readonly #routed: PathsOfHost
  readonly #publicHost: string

  constructor(list: readonly OwnPath[], publicHost: string, tell: ShowRefusal) {
    this.list = list
    this.#home = new PathsOfHost(list, 'home', tell)
    this.#routed = new PathsOfHost(list, 'routed', tell)
    this.#publicHost = publicHost
  }

  find({ path, host, method }: Pick<EdgeRequest, 'path' | 'host' | 'method'>): OwnPathHandler | undefined {
    return this.#at(host).find(path, method)
  }

  /** Whether our own paths cover everything that a route with this domain and path prefix would. */
  coverAll(domain: string, pathPrefix: string): boolean {
    return this.#at(domain).coverAll(pathPrefix)
  }

  #at(host: string): PathsOfHost {
    return host === this.#publicHost ? this.#home : this.#routed
  }
}

/** The rows of one path. */
interface Entry {
  readonly answer: OwnPathHandler
  /** The methods that this entry answers, if the route gets all others. */
  readonly only: ReadonlySet<string> | undefined
}

/** The own paths on one kind of host. */
class PathsOfHost {
  readonly #exact = new Map<string, Entry>()
  /** Paths that end in `/{name}`, by the part before it. */
  readonly #oneMore = new Map<string, Entry>()
  /** Paths that end in `/*`, by the part before the star, the longest first. */
  readonly #below: { readonly start: string; readonly entry: Entry }[] = []

  constructor(list: readonly OwnPath[], kind: HostKind, tell: ShowRefusal) {
    const here = list.filter(({ at }) => at.includes(kind))
    for (const [path, rows] of Map.groupBy(here, (row) => row.path)) {
      const entry = entryOf(rows, tell)
      if (path.endsWith('/*')) this.#below.push({ start: path.slice(0, -1), entry })
      else if (path.endsWith('}')) this.#oneMore.set(path.slice(0, path.lastIndexOf('/')), entry)
      else this.#exact.set(path, entry)
    }
    this.#below.sort((a, b) => b.start.length - a.start.length)
  }

  find(path: string, method: string): OwnPathHandler | undefined {
    const found = this.#exact.get(path) ?? this.#withOneMore(path) ?? this.#startOf(path)
    return found?.only && !found.only.has(asGet(method)) ? undefined : found?.answer
  }

  coverAll(pathPrefix: string): boolean {
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

const entryOf = (rows: readonly OwnPath[], tell: ShowRefusal): Entry => {
  const nothing: OwnPathHandler = (request, response, asked) =>
    tell(request, response, asked, notFoundRefusal)
  const handlerOf = ({ handler }: OwnPath): OwnPathHandler =>
    typeof handler === 'function' ? handler : nothing
  const methods = new Set(rows.flatMap((row) => row.methods))
  const only = rows.every(({ otherMethods }) => otherMethods === 'route') ? methods : undefined
  if (methods.size === 0) return { answer: handlerOf(rows[0]!), only: undefined }
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
  return { answer, only }
}
