import type { IncomingMessage, ServerResponse } from 'node:http'
import { isForm, isUpload } from '../wire/media_type.ts'
import { readBody } from '../wire/request_body.ts'

const maxFormBytes = 64 * 1024
const maxUploadBytes = 768 * 1024

/** The fields of a form. A file that was uploaded is a field in base64. `not_a_form` for any other body; undefined if there was an answer. */
export const readForm = async (
  request: IncomingMessage,
  response: ServerResponse,
  upload: boolean,
): Promise<URLSearchParams | 'not_a_form' | undefined> => {
  const type = request.headers['content-type']
  const uploads = upload && isUpload(type)
  if (!uploads && !isForm(type)) return 'not_a_form'
  const body = await readBody(request, response, uploads ? maxUploadBytes : maxFormBytes)
  if (body === undefined) return undefined
  if (!uploads) return new URLSearchParams(body.toString('utf8'))
  try {
    const form = await new Response(body, { headers: { 'content-type': type! } }).formData()
    return await inBase64(form)
  } catch {
    return 'not_a_form'
  }
}

const inBase64 = async (form: FormData): Promise<URLSearchParams> => {
  const fields = new URLSearchParams()
  for (const [name, value] of form)
    fields.append(
      name,
      typeof value === 'string' ? value : Buffer.from(await value.arrayBuffer()).toString('base64'),
    )
  return fields
}
