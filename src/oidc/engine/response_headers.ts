import { cspSourceOf } from '../../clients/redirect_uris.ts'
import { routes } from './endpoint_paths.ts'
import type { Context } from './types.ts'

// Corrections to the engine's responses.

/** Removes a cookie from the response. */
export const dropCookie = ({ response }: Context, name: string): void => {
  const cookies = [response.get('set-cookie') ?? []].flat()
  const kept = cookies.filter((cookie) => !cookie.startsWith(`${name}=`))
  if (kept.length < cookies.length) {
    response.remove('set-cookie')
    if (kept.length > 0) response.set('set-cookie', kept)
  }
}

/** The endpoints that applications without a server call from their pages (CORS). */
const readable: ReadonlySet<string> = new Set([
  routes.token,
  routes.userinfo,
  routes.jwks,
  '/.well-known/openid-configuration',
  '/.well-known/oauth-authorization-server',
])

/** Removes CORS headers from all other responses, errors included. */
export const removeCorsHeaders = ({ path, response }: Context): void => {
  if (readable.has(path)) return
  for (const name of Object.keys(response.headers))
    if (name.startsWith('access-control-')) response.remove(name)
}

/** Lets the engine's form_post page submit to the application. */
export const allowFormPost = (ctx: Context): void => {
  const { response } = ctx
  const policy = response.get('content-security-policy')
  if (!policy || typeof response.body !== 'string' || !response.body.includes('document.forms[0].submit()'))
    return
  const target = /<form method="post" action="([^"]+)"/.exec(response.body)?.[1]
  const source = cspSourceOf(target ?? '') ?? "'self'"
  response.set('content-security-policy', policy.replace(/form-action [^;]+/, `form-action ${source}`))
}
