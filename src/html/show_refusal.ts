import type { Asked } from '../wire/request.ts'
import { noticePage } from './notice.ts'
import type { Recipient, Sent } from '../wire/client_response.ts'
import type { Told } from '../wire/refusal.ts'
import { ownHeaders, wantsPage, problem, send } from '../wire/responses.ts'

/** Answers with a page for people and problem details for programs. */
export const tell = (sent: Sent, to: Recipient, asked: Asked, told: Told): void => {
  const headers = { ...ownHeaders(asked), ...told.headers }
  if (!wantsPage(sent)) return send(to, told.status, 'application/problem+json', problem(told), headers)
  const body = noticePage({
    place: asked.host,
    title: told.title,
    text: told.text,
    status: told.status,
    requestId: asked.requestId,
    ...(told.link && { link: told.link }),
  })
  send(to, told.status, 'text/html; charset=utf-8', body, headers)
}
