import { createServer } from 'node:http'
import type { Answer, Ask } from './ask.ts'
import { identityHeaders, type Places } from './peers/configurations.ts'

/** A request as it arrived at the upstream. */
interface Arrived {
  readonly method: string
  readonly url: string
  readonly rawHeaders: readonly string[]
  readonly body: string
}

/** Answers with the request that arrived. The upstream forwards requests below /recorded to it. */
export const record = (places: Places): Promise<{ close(): void }> =>
  new Promise((resolve) => {
    const server = createServer((request, response) => {
      const { method, url, rawHeaders } = request
      let body = ''
      request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk))
      request.on('end', () => response.end(JSON.stringify({ method, url, rawHeaders, body })))
    }).listen(places.recorder, () => resolve({ close: () => void server.close() }))
  })

type Fields = ReadonlyMap<string, string>

/** By name in lower case. Repeated headers are joined. */
const fieldsOf = (raw: readonly string[]): Fields => {
  const fields = new Map<string, string>()
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!.toLowerCase()
    const before = fields.get(name)
    fields.set(name, before === undefined ? raw[i + 1]! : `${before}, ${raw[i + 1]!}`)
  }
  return fields
}

/** Hop-by-hop headers, which every proxy sets itself (RFC 9110 section 7.6.1), and the date. */
const ofConnection = new Set(['connection', 'keep-alive', 'transfer-encoding', 'date'])

/** The differences between two lists of headers as text. Cookies are secret, and a proxy may remove its own. */
const differences = (expected: Fields, found: Fields): string[] => {
  const names = [...new Set([...expected.keys(), ...found.keys()])].filter((name) => !ofConnection.has(name))
  return names.toSorted().flatMap((name) => {
    const [before, after] = [expected.get(name), found.get(name)]
    if (before === after) return []
    return before === undefined ? `+${name}` : after === undefined ? `-${name}` : `~${name}`
  })
}

/** Headers that may differ between contestants and are printed. All others must be the same. */
const mayDiffer = (difference: string) => difference.startsWith('+') || /^.(cookie|server)$/.test(difference)

export interface Compared {
  readonly name: string
  /** Sends a request through the contestant. */
  readonly ask: (path: string, asking?: Ask) => Promise<Answer>
  /** Sends a request directly to the upstream. */
  readonly askUpstream: (path: string, asking?: Ask) => Promise<Answer>
  readonly asking: Ask & { readonly headers: readonly string[] }
  /** A path with a small response. Default: `/`. */
  readonly path?: string
  /** How the request reached us, unless by plain HTTP from 127.0.0.1. */
  readonly way?: { readonly addresses?: string; readonly scheme?: string }
}

/**
 * Compares once the request that arrives at the upstream with the one that was sent and with the identity, and the response to the
 * client with that of the upstream.
 * Additional headers are printed. A missing or changed one ends the measurement, because the contestant does different work.
 */
export const compareWork = async (compared: Compared): Promise<void> => {
  const { name, ask, askUpstream, asking, path = '/', way } = compared
  const sent = await ask('/recorded?a=1', asking)
  if (sent.status !== 200)
    throw new Error(`${name}: the recorder was not reached: ${sent.status} ${sent.body}`)
  const arrived = JSON.parse(sent.body) as Arrived
  const expected = new Map([...fieldsOf(asking.headers), ...identityHeaders(way)])
  const there = differences(expected, fieldsOf(arrived.rawHeaders))
  const [answer, direct] = [await ask(path, asking), await askUpstream(path, asking)]
  const back = differences(fieldsOf(direct.rawHeaders), fieldsOf(answer.rawHeaders))
  const wrong = [...there, ...back].filter((difference) => !mayDiffer(difference))
  if (arrived.method !== (asking.method ?? 'GET') || arrived.url !== '/recorded?a=1')
    wrong.push('request line')
  if (arrived.body !== (asking.body ?? '')) wrong.push('request body')
  if (answer.status !== direct.status || answer.body !== direct.body) wrong.push('answer')
  if (wrong.length > 0)
    throw new Error(
      `${name} does other work: ${wrong.join(' ')}\n${sent.body}\n${answer.rawHeaders.join(' ')}`,
    )
  const shown = (list: readonly string[]) => (list.length > 0 ? list.join(' ') : 'the same')
  console.log(`${name}: upstream ${shown(there)}; client ${shown(back)}`)
}
