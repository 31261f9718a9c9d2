import { fold, longestKept, hopByHop } from './header_list.ts'

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

/** Browsers send a cookie without a name as its bare value: `=ours=x` comes back as `ours=x`. */
export const cookieNamed = (setCookie: string): string => setCookie.replace(/^[\s=]+/, '')
