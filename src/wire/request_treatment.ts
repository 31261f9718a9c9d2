import { detached } from './detached.ts'
import { fold, maxCachedNameLength, methodOverrides, hopByHop } from './header_list.ts'

/** How a request header is treated, by its name. */
export type RequestTreatment = 'drop' | 'connection' | 'cookie' | 'authorization' | 'signature' | 'keep'

/** Cached by the name as received, because names repeat. */
const treatments = new Map<string, RequestTreatment>()

const treat = (name: string): RequestTreatment => {
  const lower = name.toLowerCase()
  const folded = simple.test(name) ? lower : fold(name)
  if (isReserved(folded)) return 'drop'
  // uWSGI and similar servers read a variant such as `Content_Length` as the framing header: a way to smuggle a body.
  if (folded !== lower && (hopByHop.has(folded) || folded === 'content-length')) return 'drop'
  if (lower === 'connection') return 'connection'
  if (lower === 'cookie') return 'cookie'
  if (lower === 'authorization') return 'authorization'
  if (signatureHeaders.has(folded)) return 'signature'
  if (hopByHop.has(lower) || lower === 'host' || lower === 'expect' || lower === 'content-length')
    return 'drop'
  return 'keep'
}

export const requestTreatmentOf = (name: string): RequestTreatment => {
  let treatment = treatments.get(name)
  if (treatment === undefined) {
    treatment = treat(name)
    // Bounded: clients choose the names.
    if (treatments.size < 2000 && name.length <= maxCachedNameLength)
      treatments.set(detached(name), treatment)
  }
  return treatment
}

const simple = /^[a-zA-Z0-9-]+$/

const isReserved = (folded: string): boolean =>
  folded.startsWith('x-hero-') ||
  folded.startsWith('x-proxy-') ||
  folded.startsWith('x-forwarded-') ||
  ownNames.has(folded)

/** Headers in which only we may describe the request to an upstream. */
const ownNames: ReadonlySet<string> = new Set([
  ...methodOverrides,
  'forwarded',
  'x-real-ip',
  'x-client-ip',
  'x-forwarded',
  'x-original-uri',
  'x-original-host',
  'x-original-forwarded-for',
  // CGI turns it into HTTP_PROXY, which many programs obey (CVE-2016-5385).
  'proxy',
  'x-cluster-client-ip',
  'true-client-ip',
  'client-ip',
  'x-original-url',
  'x-rewrite-url',
  'x-request-id',
])

/** Folded names. These headers are not forwarded once we have used them: a used signature proves nothing to anyone else. */
export const signatureHeaders: ReadonlySet<string> = new Set([
  'x-signature',
  'x-signature-pubkey',
  'x-signature-timestamp',
  'x-signature-nonce',
])
