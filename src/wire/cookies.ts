/** Our cookies have the prefix that browsers protect (RFC 6265bis section 4.1.3.2), except over plain HTTP. */
export const sessionCookie = (secure: boolean) =>
  secure ? '__Host-hero_proxy_session' : 'hero_proxy_session'
export const formCookie = (secure: boolean) => (secure ? '__Host-hero_proxy_form' : 'hero_proxy_form')

/** Proves that the browser that arrives at a host is the one that left it to sign in. */
export const arrivalCookie = (secure: boolean) =>
  secure ? '__Host-Http-hero_proxy_arrival' : 'hero_proxy_arrival'

/** The state of a sign-in at a provider. Each sign-in has its own, so that several tabs do not interfere. */
export const flowCookie = (secure: boolean, id: string) =>
  secure ? `__Host-hero_proxy_flow_${id}` : `hero_proxy_flow_${id}`
/** An identity that the user still has to confirm. */
export const linkCookie = (secure: boolean) => (secure ? '__Host-hero_proxy_link' : 'hero_proxy_link')

/** The page to continue to after a link in a mail was used. */
export const returnPathCookie = (secure: boolean) =>
  secure ? '__Host-hero_proxy_onward' : 'hero_proxy_onward'

/** The secret of a browser that waits for a mailed code. */
export const mailedCodeCookie = (secure: boolean) =>
  secure ? '__Host-hero_proxy_mailed_code' : 'hero_proxy_mailed_code'

/** The secret of a browser that waits for a phone to sign it in. */
export const elsewhereCookie = (secure: boolean) =>
  secure ? '__Host-hero_proxy_elsewhere' : 'hero_proxy_elsewhere'

/** The way by which somebody last signed in in this browser: its name and nothing else. */
export const wayCookie = (secure: boolean) => (secure ? '__Host-hero_proxy_way' : 'hero_proxy_way')

/** The time zone of the browser. The script of the sign-in page sets it, so that every way to sign in brings it. */
export const zoneCookie = (secure: boolean) => (secure ? '__Host-hero_proxy_zone' : 'hero_proxy_zone')

/** That somebody has signed out in this browser a moment ago. */
export const signedOutCookie = (secure: boolean) =>
  secure ? '__Host-hero_proxy_signed_out' : 'hero_proxy_signed_out'

/** Proves that the browser that signs out at home is the one that began at a service. */
export const leavingCookie = (secure: boolean) =>
  secure ? '__Host-hero_proxy_leaving' : 'hero_proxy_leaving'

/** Recognises a browser at sign-in, so that a new one can be reported to its person. */
export const deviceCookie = (secure: boolean) => (secure ? '__Host-hero_proxy_device' : 'hero_proxy_device')

/** Proves that a browser is one that a person trusts. Only over TLS or on this machine. */
export const trustedCookie = () => '__Host-hero_proxy_trusted'

/** Names that upstreams neither see nor set: our own, and names that a lenient parser would read as ours. */
const ours = /^(__host-http-|__http-|__host-|__secure-)?hero[._ -]proxy[._ -]/i

export const isOwnCookie = (name: string): boolean => ours.test(name.trim())

/**
 * Only spaces and tabs surround a name (RFC 6265bis section 5.6). `String.trim` removes more: a sibling domain can set a name
 * with a no-break space before `__Host-`, which browsers do not protect, and trimming would turn it into ours.
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

/** The value of a cookie, or undefined. A name that appears twice may have been planted, and counts as missing. */
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

/** The ids of the sign-ins at providers that this browser has begun, the oldest first (RFC 6265 section 5.4). */
export const flowIdsIn = (headers: readonly string[], secure: boolean): readonly string[] => {
  const prefix = flowCookie(secure, '')
  const names = headers
    .filter((header) => header.includes(prefix))
    .flatMap((header) => pairs(header).map(({ name }) => name))
  return [...new Set(names)].flatMap((name) => (name.startsWith(prefix) ? name.slice(prefix.length) : []))
}

/** A Cookie header without our cookies, or undefined if nothing is left. */
export const withoutOwnCookies = (header: string): string | undefined => {
  if (!/hero/i.test(header)) return header
  const kept = pairs(header).filter(
    ({ name, value, text }) => text !== '' && !isOwnCookie(name === '' ? value : name),
  )
  return kept.length === 0 ? undefined : kept.map(({ text }) => text).join('; ')
}

/**
 * Whether a request shows a form cookie, of whatever age. Over TLS only the protected name counts: any host of the same domain can plant
 * the other one, and only that host can remove it. Cheap for requests without one.
 */
export const showsFormCookie = (cookies: readonly string[], secure: boolean): boolean =>
  cookies.some(
    (header) =>
      header.includes('hero_proxy_form=') &&
      pairs(header).some(({ name }) => name === formCookie(true) || (!secure && name === formCookie(false))),
  )

/** A Set-Cookie value for one of our cookies (RFC 6265bis). `maxAgeSeconds` of 0 clears it; without one, it ends with the browser. */
export const setCookie = (name: string, value: string, maxAgeSeconds: number | undefined): string =>
  `${name}=${value}; Path=/; HttpOnly; SameSite=Lax${maxAgeSeconds === undefined ? '' : `; Max-Age=${maxAgeSeconds}`}${name.startsWith('__Host-') ? '; Secure' : ''}`

/** The name of each cookie in these headers, as often as it is there. */
export const cookieNames = (headers: readonly string[]): string[] =>
  headers.flatMap((header) => pairs(header).filter(({ text }) => text !== '')).map(({ name }) => name)

/** A name that Set-Cookie can hold (RFC 6265 section 4.1.1). */
const cookieName = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/

/** A Set-Cookie value that clears a cookie at this path and domain, also one that a service set; undefined for a name that it cannot hold. */
export const clearCookie = (
  name: string,
  secure: boolean,
  path: string,
  domain: string | undefined,
): string | undefined =>
  cookieName.test(name)
    ? `${name}=; Path=${path}${domain === undefined ? '' : `; Domain=${domain}`}; Max-Age=0${secure ? '; Secure' : ''}`
    : undefined
