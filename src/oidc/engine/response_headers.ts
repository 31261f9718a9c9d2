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

const submitsItself = ({ response: { body } }: Context): boolean =>
  typeof body === 'string' && body.includes('document.forms[0].submit()')

/**
 * Lets the engine's form_post page submit to the application. Browsers apply form-action to every redirect that follows, and only the
 * application knows where it redirects to, so the page has no such limit.
 */
export const allowFormPost = (ctx: Context): void => {
  const policy = ctx.response.get('content-security-policy')
  if (policy && submitsItself(ctx))
    ctx.response.set('content-security-policy', policy.replace(/form-action [^;]+;? ?/, ''))
}

/** Signing out without a session asks nothing and changes nothing, so the engine's form, which submits itself, is left out. */
export const skipGuestLogout = (ctx: Context): void => {
  if (ctx.oidc?.route !== 'end_session' || !submitsItself(ctx)) return
  const { postLogoutRedirectUri: to, state } = ctx.oidc.session!.state as LogoutState
  const url = new URL(to ?? ctx.oidc.urlFor('end_session_success'))
  if (to !== undefined && state !== undefined) url.searchParams.set('state', state)
  ctx.status = 303
  ctx.redirect(url.href)
}

interface LogoutState {
  readonly postLogoutRedirectUri?: string
  readonly state?: string
}

/** Where the answer to a form leads away from us; undefined for all other answers. A redirect would violate our form-action. */
export const leavesByForm = (ctx: Context): string | undefined => {
  const location = ctx.response.get('location')
  if (ctx.method !== 'POST' || ctx.status < 300 || ctx.status > 399 || !URL.canParse(location))
    return undefined
  return new URL(location).origin === new URL(ctx.oidc.issuer).origin ? undefined : location
}

/** Whether the answer is the one to a person who has just signed out at the request of an application. */
export const endsSession = ({ oidc }: Context): boolean =>
  oidc?.route === 'end_session_confirm' &&
  (oidc.session as { destroyed?: boolean } | undefined)?.destroyed === true

/** Leaves the answer to `signedOut`, which ends the visit as our own sign-out does. */
export const goodbye = async (ctx: Context, signedOut: (to: string) => Promise<void>): Promise<void> => {
  const location = ctx.response.get('location')
  for (const name of ['location', 'set-cookie', 'content-type']) ctx.response.remove(name)
  ctx.respond = false
  await signedOut(location)
}
