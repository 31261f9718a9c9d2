import type { IncomingMessage } from 'node:http'
import { languageAsked } from '../html/words_for.ts'
import type { EdgeRequest } from '../wire/request.ts'
import type { PageRequestParts } from './page_request_parts.ts'

/** What a request to a page says about its client. */
export const clientOf = (
  sent: IncomingMessage,
  asked: EdgeRequest,
  { isLocated }: Pick<PageRequestParts, 'isLocated'>,
) => ({
  address: asked.address,
  located: isLocated(sent, asked),
  user_agent: sent.headers['user-agent'] ?? '',
  language: languageAsked(sent.rawHeaders),
})
