import { hash } from 'node:crypto'
import type { ShowRefusal } from '../html/show_refusal.ts'
import { picturePath, type Pictures } from '../pictures/pictures.ts'
import { valuesOf } from '../wire/header_list.ts'
import type { OwnPath, OwnPathHandler } from '../wire/own_path.ts'
import { notFoundRefusal } from '../wire/refusal.ts'
import { ownHeaders, send } from '../wire/responses.ts'

export interface PictureParts {
  readonly pictures: Pick<Pictures, 'at'>
  readonly tell: ShowRefusal
}

/** Applications show it on pages of other origins. Whatever a browser makes of the bytes, it is nothing of ours. */
const show =
  ({ pictures, tell }: PictureParts): OwnPathHandler =>
  async (request, response, asked) => {
    const picture = await pictures.at(asked.path.slice(picturePath.length + 1))
    if (!picture) return tell(request, response, asked, notFoundRefusal)
    const etag = `"${hash('sha256', picture.content, 'hex').slice(0, 32)}"`
    const headers = {
      ...ownHeaders(asked),
      'content-security-policy': "default-src 'none'; sandbox",
      'cross-origin-resource-policy': 'cross-origin',
      'cache-control': 'public, max-age=300',
      etag,
    }
    const known = valuesOf(request.rawHeaders, 'if-none-match').join()
    if (!known.includes(etag)) return send(response, 200, picture.type, picture.content, headers)
    response.writeHead(304, Object.entries(headers).flat())
    response.end()
  }

export const picturePaths = (parts: PictureParts): readonly OwnPath[] => [
  { path: `${picturePath}/{address}`, methods: ['GET'], at: ['home'], handler: show(parts) },
]
