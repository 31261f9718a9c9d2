import { ownHeaders, send } from '../wire/responses.ts'
import { notHere } from '../wire/refusal.ts'
import type { Tell } from '../html/show_refusal.ts'
import { icon } from '../html/layout.ts'
import { passkeyScript } from './sign_in/passkey_script.ts'
import { style } from '../html/style.ts'
import { themeCss, type Theme } from '../html/theme.ts'
import { version } from '../version.ts'
import type { Methods, OwnPath } from '../wire/own_path.ts'

export interface StillParts {
  /** openrpc.json. */
  readonly document: () => string
  readonly jwks: () => Promise<object>
  readonly theme: () => Promise<Theme>
  readonly tell: Tell
}

const still =
  (type: string, text: string, cache: string): OwnPath =>
  (_, response, asked) =>
    send(response, 200, type, text, { ...ownHeaders(asked), 'cache-control': cache })

/** What is the same for whoever asks, on every host: style sheets, pictures, public keys, the document of the methods, health. */
export const stillPaths = ({
  document,
  jwks,
  theme,
  tell,
}: StillParts): Readonly<Record<string, Methods>> => ({
  '/auth/style.css': {
    GET: still('text/css; charset=utf-8', style, 'public, max-age=31536000, immutable'),
  },
  '/auth/passkeys.js': {
    GET: still('text/javascript; charset=utf-8', passkeyScript, 'public, max-age=31536000, immutable'),
  },
  '/auth/theme.css': {
    GET: async (_, response, asked) =>
      send(response, 200, 'text/css; charset=utf-8', themeCss(await theme()), {
        ...ownHeaders(asked),
        'cache-control': 'public, max-age=60',
      }),
  },
  '/auth/logo.svg': {
    GET: async (request, response, asked) => {
      const { logo } = await theme()
      if (logo === '') return tell(request, response, asked, notHere)
      send(response, 200, 'image/svg+xml', logo, {
        ...ownHeaders(asked),
        'cache-control': 'public, max-age=60',
      })
    },
  },
  '/auth/icon.svg': { GET: still('image/svg+xml', icon, 'public, max-age=86400') },
  '/.well-known/jwks.json': {
    GET: async (_, response, asked) =>
      send(response, 200, 'application/jwk-set+json', JSON.stringify(await jwks()), {
        ...ownHeaders(asked),
        'cache-control': 'public, max-age=300',
        'access-control-allow-origin': '*',
      }),
  },
  '/openrpc.json': {
    GET: (_, response, asked) =>
      send(response, 200, 'application/json', document(), {
        ...ownHeaders(asked),
        'cache-control': 'no-cache',
      }),
  },
  '/health': { GET: still('application/json', JSON.stringify({ status: 'ok', version }), 'no-store') },
})
