import { isOurs } from './cookies.ts'
import { fold, longestKept, hopByHop, listedIn } from '../wire/header_list.ts'

/** Browsers send a cookie without a name as its bare value: `=ours=x` comes back as `ours=x`. */
export const cookieNamed = (setCookie: string): string => setCookie.replace(/^[\s=]+/, '')

/** How a header of an answer is treated, by its name as received; the answer is kept as above. */
export type AnswerTreatment = 'drop' | 'connection' | 'length' | 'cache' | 'cookie' | 'keep'
const answerTreatments = new Map<string, AnswerTreatment>()

const treatAnswer = (name: string): AnswerTreatment => {
  const lower = name.toLowerCase()
  if (lower === 'connection') return 'connection'
  if (hopByHop.has(lower) || fold(name).startsWith('x-hero-')) return 'drop'
  if (lower === 'content-length') return 'length'
  if (lower === 'cache-control') return 'cache'
  return lower === 'set-cookie' ? 'cookie' : 'keep'
}

export const answerTreatmentOf = (name: string): AnswerTreatment => {
  let treatment = answerTreatments.get(name)
  if (treatment === undefined) {
    treatment = treatAnswer(name)
    if (answerTreatments.size < 2000 && name.length <= longestKept) answerTreatments.set(name, treatment)
  }
  return treatment
}

/** The headers of the answer as the client gets them: no hop's own, no identity headers, no cookie in our name. */
export const responseHeaders = (rawHeaders: readonly string[], extra: readonly string[]): string[] => {
  const list: string[] = [...extra]
  let listed: string[] | undefined
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (answerTreatmentOf(rawHeaders[i]!) === 'connection')
      listed = (listed ?? []).concat(listedIn(rawHeaders[i + 1]!))
  }
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!
    const value = rawHeaders[i + 1]!
    const treatment = answerTreatmentOf(name)
    if (treatment === 'drop' || treatment === 'connection') continue
    if (listed !== undefined && treatment !== 'length' && listed.includes(name.toLowerCase())) continue
    // A cookie of ours in an answer that caches may keep would be given to everybody (CVE-2023-30861).
    if (treatment === 'cache' && extra.length > 0) continue
    if (treatment === 'cookie' && isOurs(cookieNamed(value))) continue
    list.push(name, value)
  }
  return list
}
