import { hash } from 'node:crypto'
import type { ShowRefusal } from '../html/show_refusal.ts'
import { iconPath, type Icons } from '../pictures/icons.ts'
import { picturePath, type Pictures } from '../pictures/pictures.ts'
import { valuesOf } from '../wire/header_list.ts'
import type { OwnPath, OwnPathHandler } from '../wire/own_path.ts'
import { notFoundRefusal } from '../wire/refusal.ts'
import { ownHeaders, send } from '../wire/responses.ts'

export interface PictureParts {
  readonly images: { readonly pictures: Pick<Pictures, 'at'>; readonly icons: Pick<Icons, 'at'> }
  readonly tell: ShowRefusal
}

/** Applications show it on pages of other origins. Whatever a browser makes of the bytes, it is nothing of ours. */
const show =
  (below: string, pictures: Pick<Pictures, 'at'>, cache: string, tell: ShowRefusal): OwnPathHandler =>
  async (request, response, asked) => {
    const picture = await pictures.at(asked.path.slice(below.length + 1))
    if (!picture) return tell(request, response, asked, notFoundRefusal)
    const etag = `"${hash('sha256', picture.content, 'hex').slice(0, 32)}"`
    const headers = {
      ...ownHeaders(asked),
      'content-security-policy': "default-src 'none'; sandbox",
      'cross-origin-resource-policy': 'cross-origin',
      'cache-control': cache,
      etag,
    }
    const known = valuesOf(request.rawHeaders, 'if-none-match').join()
    if (!known.includes(etag)) return send(response, 200, picture.type, picture.content, headers)
    response.writeHead(304, Object.entries(headers).flat())
    response.end()
  }

export const picturePaths = ({ images: { pictures, icons }, tell }: PictureParts): readonly OwnPath[] => [
  {
    path: `${picturePath}/{address}`,
    methods: ['GET'],
    at: ['home'],
    handler: show(picturePath, pictures, 'public, max-age=300', tell),
  },
  {
    path: `${iconPath}/{id}`,
    methods: ['GET'],
    at: ['home'],
    // It is named by its content.
    handler: show(iconPath, icons, 'public, max-age=31536000, immutable', tell),
  },
]
