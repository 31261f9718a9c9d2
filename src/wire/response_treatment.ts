import { fold, maxCachedNameLength, hopByHop } from './header_list.ts'

/** How a response header is treated, by its name. */
export type ResponseTreatment = 'drop' | 'connection' | 'length' | 'cache' | 'cookie' | 'keep'

/** Cached by the name as received, because names repeat. */
const treatments = new Map<string, ResponseTreatment>()

const treatAnswer = (name: string): ResponseTreatment => {
  const lower = name.toLowerCase()
  if (lower === 'connection') return 'connection'
  if (hopByHop.has(lower) || fold(name).startsWith('x-hero-')) return 'drop'
  if (lower === 'content-length') return 'length'
  if (lower === 'cache-control') return 'cache'
  return lower === 'set-cookie' ? 'cookie' : 'keep'
}

export const responseTreatmentOf = (name: string): ResponseTreatment => {
  let treatment = treatments.get(name)
  if (treatment === undefined) {
    treatment = treatAnswer(name)
    if (treatments.size < 2000 && name.length <= maxCachedNameLength) treatments.set(name, treatment)
  }
  return treatment
}

/** A browser returns a cookie without a name as its bare value: `=ours=x` comes back as `ours=x`. */
export const cookieNamed = (setCookie: string): string => setCookie.replace(/^[\s=]+/, '')
