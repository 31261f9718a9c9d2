import { security } from './account/security.ts'
import { ownHeaders, redirect, send } from '../wire/responses.ts'
import { favicon } from '../html/favicon.ts'
import { icon } from '../html/layout.ts'
import { copyScript } from './account/copy_script.ts'
import { pictureScript } from './account/picture_script.ts'
import { previousScriptPath } from './previous/passkey_view.ts'
import { passkeyScript } from './sign_in/passkey_script.ts'
import { signInScript } from './sign_in/sign_in_script.ts'
import { style } from '../html/style.ts'
import { themeCss, type Theme } from '../html/theme.ts'
import { notFoundRefusal } from '../wire/refusal.ts'
import type { ShowRefusal } from '../html/show_refusal.ts'
import { everyHostOfOurs, type OwnPath, type OwnPathHandler } from '../wire/own_path.ts'

export interface StillParts {
  readonly jwks: () => Promise<object>
  readonly theme: () => Promise<Theme>
  readonly tell: ShowRefusal
}

const still =
  (type: string, text: string | Buffer, cache: string): OwnPathHandler =>
  (_, response, asked) =>
    send(response, 200, type, text, { ...ownHeaders(asked), 'cache-control': cache })

const forEver = 'public, max-age=31536000, immutable'

const manifest = ({ site }: Theme): string =>
  JSON.stringify({
    name: site,
    short_name: site,
    start_url: '/auth/services',
    display: 'browser',
    icons: [{ src: '/.hero_proxy/icon.svg', sizes: 'any', type: 'image/svg+xml' }],
  })

/** The paths that answer every caller alike on every host: style sheets, pictures, public keys. */
export const stillPaths = ({ jwks, theme, tell }: StillParts): readonly OwnPath[] => {
  const handlers: Readonly<Record<string, OwnPathHandler>> = {
    '/.hero_proxy/style.css': still('text/css; charset=utf-8', style, forEver),
    [previousScriptPath]: still('text/javascript; charset=utf-8', passkeyScript, forEver),
    '/auth/passkeys.js': still('text/javascript; charset=utf-8', passkeyScript, forEver),
    '/auth/sign_in.js': still('text/javascript; charset=utf-8', signInScript, forEver),
    '/auth/picture.js': still('text/javascript; charset=utf-8', pictureScript, forEver),
    '/auth/copy.js': still('text/javascript; charset=utf-8', copyScript, forEver),
    '/.hero_proxy/theme.css': async (_, response, asked) =>
      send(response, 200, 'text/css; charset=utf-8', themeCss(await theme()), {
        ...ownHeaders(asked),
        'cache-control': 'public, max-age=60',
      }),
    '/.hero_proxy/logo.svg': async (request, response, asked) => {
      const { logo } = await theme()
      if (logo === '') return tell(request, response, asked, notFoundRefusal)
      send(response, 200, 'image/svg+xml', logo, {
        ...ownHeaders(asked),
        'cache-control': 'public, max-age=60',
      })
    },
    '/.hero_proxy/icon.svg': still('image/svg+xml', icon, 'public, max-age=86400'),
    '/favicon.ico': still('image/vnd.microsoft.icon', favicon, 'public, max-age=86400'),
    '/robots.txt': still(
      'text/plain; charset=utf-8',
      'User-agent: *\nDisallow: /\n',
      'public, max-age=86400',
    ),
    '/auth/manifest.webmanifest': async (_, response, asked) =>
      send(response, 200, 'application/manifest+json', manifest(await theme()), {
        ...ownHeaders(asked),
        'cache-control': 'public, max-age=60',
      }),
    // W3C, A Well-Known URL for Changing Passwords.
    '/.well-known/change-password': (_, response, asked) => redirect(response, asked, 302, security.path),
    '/.well-known/jwks.json': async (_, response, asked) =>
      send(response, 200, 'application/jwk-set+json', JSON.stringify(await jwks()), {
        ...ownHeaders(asked),
        'cache-control': 'public, max-age=300',
        'access-control-allow-origin': '*',
        'cross-origin-resource-policy': 'cross-origin',
      }),
  }
  return Object.entries(handlers).map(([path, handler]) => ({
    path,
    methods: ['GET'],
    at:
      path === previousScriptPath
        ? ['previous']
        : path.startsWith('/.hero_proxy/')
          ? everyHostOfOurs
          : ['home'],
    handler,
  }))
}
