import { cookieNames } from '../../wire/cookies.ts'
import type { ReceivedRequest } from '../../wire/client_response.ts'
import { cookiesPath, headBytesOf, type EdgeRequest } from '../../wire/request.ts'
import { valuesOf } from '../../wire/header_list.ts'
import type { Refusal } from '../../wire/refusal.ts'
import { UsualRequest } from '../../wire/usual_request.ts'

/**
 * The refusal of a request whose head was read only to say that it is too large; undefined if it is small enough. The fast lane reads no
 * such head. Says how many cookies there are if the head were small enough without them.
 */
export const headTooLarge = (
  sent: ReceivedRequest,
  { path }: EdgeRequest,
  most: number,
): Refusal | undefined => {
  if (sent instanceof UsualRequest || path === cookiesPath) return undefined
  const bytes = headBytesOf(sent)
  if (bytes <= most) return undefined
  const headers = valuesOf(sent.rawHeaders, 'cookie')
  const cookieBytes = headers.reduce((sum, header) => sum + header.length, 0)
  return {
    status: 431,
    reason: 'head_too_large',
    values: { most, cookies: bytes - cookieBytes <= most ? cookieNames(headers).length : 0 },
    code: 'head_too_large',
  }
}
