import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Ask, Place } from './ask.ts'

/** How a request differs from a plain GET of a page. */
interface Kind {
  readonly method?: 'GET' | 'POST'
  readonly body?: string
  /** Cookies of several users; each request takes a random one. Default: the cookie of the place. */
  readonly cookies?: readonly string[]
}

const [referer, cookie] = ['{referer}', '{cookie}']

/** The ten headers of a browser in its order, and three more with a body. */
const fieldsOf = (
  { host }: Place,
  { method = 'GET', body }: Kind,
): readonly (readonly [string, string])[] => [
  ['Host', host],
  ['Connection', 'keep-alive'],
  ['User-Agent', 'Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0'],
  ['Accept', 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8'],
  ['Accept-Language', 'en-GB,en;q=0.7,de;q=0.3'],
  ['Accept-Encoding', 'gzip, deflate, br'],
  ['Referer', referer],
  ['Sec-Fetch-Site', 'same-origin'],
  ['Sec-Fetch-Mode', method === 'GET' ? 'navigate' : 'cors'],
  ['Cookie', cookie],
  ...(body === undefined
    ? []
    : ([
        ['Origin', `http://${host}`],
        ['Content-Type', 'application/json'],
        ['Content-Length', String(Buffer.byteLength(body))],
      ] as const)),
]

const refererOf = ({ host }: Place, page: number | string) => `http://${host}/pages/${page}`

/** One such request, to compare the work of the contestants. */
export const browserAsk = (place: Place, kind: Kind = {}): Ask & { readonly headers: readonly string[] } => ({
  method: kind.method ?? 'GET',
  headers: fieldsOf(place, kind)
    .flat()
    .map((text) => (text === referer ? refererOf(place, 0) : text === cookie ? place.cookie : text)),
  ...(kind.body !== undefined && { body: kind.body }),
})

const quoted = (text: string) => JSON.stringify(text)

/**
 * Writes a Lua file for wrk and returns its path: each request has another path and another Referer.
 * The text between the parts that change is made once, so that the script costs wrk about a microsecond for a request.
 */
export const browserScript = (folder: string, name: string, place: Place, kind: Kind = {}): string => {
  const { method = 'GET', body = '', cookies = [place.cookie] } = kind
  const head = fieldsOf(place, kind).map(([field, value]) => `${field}: ${value}\r\n`)
  const [before = '', after = ''] = head.join('').split(referer)
  const [middle = '', end = ''] = after.split(cookie)
  const file = join(folder, `${name}.lua`)
  writeFileSync(
    file,
    `local n = 0
local cookies = { ${cookies.map(quoted).join(', ')} }
local random = math.random
request = function()
  n = n + 1
  return ${quoted(`${method} /pages/`)} .. n .. ${quoted(` HTTP/1.1\r\n${before}${refererOf(place, '')}`)} .. (n - 1)
    .. ${quoted(middle)} .. cookies[${cookies.length === 1 ? '1' : `random(${cookies.length})`}] .. ${quoted(`${end}\r\n${body}`)}
end
`,
  )
  return file
}
