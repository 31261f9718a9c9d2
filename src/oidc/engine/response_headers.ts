import { sourceOf } from '../../clients/redirect_uris.ts'
import { routes } from './endpoint_paths.ts'
import type { Context } from './types.ts'

// What the engine's answers become before they leave.

/** Takes back a cookie that the engine meant to set. */
export const dropCookie = ({ response }: Context, name: string): void => {
  const all = [response.get('set-cookie') ?? []].flat()
  const kept = all.filter((one) => !one.startsWith(`${name}=`))
  if (kept.length < all.length) {
    response.remove('set-cookie')
    if (kept.length > 0) response.set('set-cookie', kept)
  }
}

/** Where scripts of other pages may read the answer: what an application without a server of its own needs. */
const readable: ReadonlySet<string> = new Set([
  routes.token,
  routes.userinfo,
  routes.jwks,
  '/.well-known/openid-configuration',
  '/.well-known/oauth-authorization-server',
])

/** Elsewhere scripts of other pages have no business: not even an error is for them. */
export const forbidScripts = ({ path, response }: Context): void => {
  if (readable.has(path)) return
  for (const name of Object.keys(response.headers))
    if (name.startsWith('access-control-')) response.remove(name)
}

/** The engine's page that posts the answer to the application, at its address and by its script. */
export const allowFormPost = (ctx: Context): void => {
  const { response } = ctx
  const policy = response.get('content-security-policy')
  if (!policy || typeof response.body !== 'string' || !response.body.includes('document.forms[0].submit()'))
    return
  const target = /<form method="post" action="([^"]+)"/.exec(response.body)?.[1]
  const source = sourceOf(target ?? '') ?? "'self'"
  response.set('content-security-policy', policy.replace(/form-action [^;]+/, `form-action ${source}`))
}
