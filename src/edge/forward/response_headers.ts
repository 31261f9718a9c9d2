import { isOurs } from '../../wire/cookies.ts'
import { listedIn } from '../../wire/header_list.ts'
import { answerTreatmentOf, cookieNamed } from '../../wire/response_treatment.ts'

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
