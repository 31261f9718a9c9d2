/** Our cookies: with the prefix that browsers guard (RFC 6265bis section 4.1.3.2), and without it over plain HTTP. */
export const sessionCookie = (secure: boolean) =>
  secure ? '__Host-hero_proxy_session' : 'hero_proxy_session'
export const formCookie = (secure: boolean) => (secure ? '__Host-hero_proxy_form' : 'hero_proxy_form')

/** Of a sign-in on its way to a provider: one for each, so that several tabs do not mix. */
export const flowCookie = (secure: boolean, id: string) =>
  secure ? `__Host-hero_proxy_flow_${id}` : `hero_proxy_flow_${id}`
/** An identity that its person has yet to confirm. */
export const linkCookie = (secure: boolean) => (secure ? '__Host-hero_proxy_link' : 'hero_proxy_link')

/** Where whoever waits for a link by mail wanted to go. */
export const onwardCookie = (secure: boolean) => (secure ? '__Host-hero_proxy_onward' : 'hero_proxy_onward')

/** Names that upstreams neither see nor set: ours in any case, and what a lenient parser would fold to them. */
const ours = /^(__host-|__secure-)?hero[._ -]proxy[._ -]/i

export const isOurs = (name: string): boolean => ours.test(name.trim())

/**
 * Space and tab alone surround a name (RFC 6265bis section 5.6). `String.trim` takes off more: a sibling domain may set
 * a name with a no-break space before `__Host-`, which no browser guards, and it must not become ours here.
 */
const isBlank = (code: number): boolean => code === 0x20 || code === 0x09
const bare = (text: string): string => {
  let from = 0
  let to = text.length
  while (from < to && isBlank(text.charCodeAt(from))) from++
  while (to > from && isBlank(text.charCodeAt(to - 1))) to--
  return from === 0 && to === text.length ? text : text.slice(from, to)
}

const pair = (part: string): { name: string; value: string; text: string } => {
  const text = bare(part)
  const equals = text.indexOf('=')
  return { name: bare(text.slice(0, Math.max(equals, 0))), value: bare(text.slice(equals + 1)), text }
}

const pairs = (header: string) => (header.includes(';') ? header.split(';').map(pair) : [pair(header)])

/** The one value of a cookie, or undefined; a name that comes twice was planted by somebody and counts as none. */
export const readCookie = (headers: readonly string[], name: string): string | undefined => {
  let found: string | undefined
  let twice = false
  for (const header of headers) {
    if (!header.includes(name)) continue
    for (const pair of pairs(header)) {
      if (pair.name !== name) continue
      twice ||= found !== undefined
      found = pair.value
    }
  }
  return twice ? undefined : found
}

/** A Cookie header without ours, or undefined if nothing is left. */
export const withoutOurs = (header: string): string | undefined => {
  if (!/hero/i.test(header)) return header
  const kept = pairs(header).filter(
    ({ name, value, text }) => text !== '' && !isOurs(name === '' ? value : name),
  )
  return kept.length === 0 ? undefined : kept.map(({ text }) => text).join('; ')
}

/** A Set-Cookie value for one of ours (RFC 6265bis). `maxAge` in seconds; 0 clears it. */
export const setCookie = (name: string, value: string, maxAge: number): string =>
  `${name}=${value}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${maxAge}${name.startsWith('__Host-') ? '; Secure' : ''}`
