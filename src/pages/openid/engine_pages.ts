import type { KoaContextWithOIDC } from 'oidc-provider'
import { sourceOf } from '../../clients/redirect_uris.ts'
import type { EnginePages } from '../../oidc/engine/pages.ts'
import { wantsPage } from '../../wire/responses.ts'
import { noticePage } from '../../html/notice.ts'
import * as pages from './openid_views.ts'

type Context = KoaContextWithOIDC

const xsrfOf = (ctx: Context): string =>
  (ctx.oidc.session as unknown as { state: { secret: string } }).state.secret

const nameOf = ({ oidc: { client } }: Context): string =>
  client?.clientName ?? client?.clientId ?? 'The device'

const show = (ctx: Context, text: string): void => {
  ctx.type = 'html'
  ctx.body = text
}

/** The pages at the engine's own addresses, drawn as all of ours. */
export const enginePages = (place: string): EnginePages => ({
  logout: (ctx) => {
    show(ctx, pages.endSessionPage(place, xsrfOf(ctx), ctx.oidc.client && nameOf(ctx)))
    // Where the form leads in the end is the application's.
    const { post_logout_redirect_uri: to } = ctx.oidc.params as { post_logout_redirect_uri?: string }
    const target = sourceOf(to ?? '')
    if (target === undefined) return
    const policy = ctx.response.get('content-security-policy')
    ctx.set('content-security-policy', policy.replace("form-action 'self'", `form-action 'self' ${target}`))
  },
  loggedOut: (ctx) => show(ctx, pages.signedOutPage(place)),
  device: (ctx, _form, _out, error) => {
    const problems: Readonly<Record<string, string>> = {
      AbortedError: 'It was stopped. The device is not signed in.',
      AlreadyUsedError: 'This code was used already.',
      ExpiredError: 'This code is too old. Ask the device for a new one.',
      NoCodeError: 'Type the code that the device shows.',
      NotFoundError: 'There is no such code. Look once more at the device.',
    }
    const { retry_after } = (error ?? {}) as { retry_after?: number }
    const problem =
      retry_after === undefined
        ? error && (problems[error.name] ?? 'That did not work. Try once more.')
        : `Too many wrong codes. Wait ${retry_after} seconds and look closely at the device.`
    const { userCode = '' } = (error ?? {}) as { userCode?: string }
    show(ctx, pages.devicePage(place, xsrfOf(ctx), problem, userCode))
  },
  deviceConfirm: (ctx, _form, _client, info, code) => {
    const { ip = '' } = info as { ip?: string }
    const { session } = ctx.oidc
    show(
      ctx,
      pages.deviceConfirmPage(place, xsrfOf(ctx), {
        name: nameOf(ctx),
        code,
        address: ip,
        user: (session as unknown as { username?: string }).username ?? 'you',
      }),
    )
  },
  deviceDone: (ctx) => show(ctx, pages.deviceDonePage(place, nameOf(ctx))),
  error: (ctx, out) => {
    if (!wantsPage({ method: ctx.method, rawHeaders: ctx.req.rawHeaders } as never)) {
      ctx.body = out
      return
    }
    const told = out.error_description ?? out.error
    const wrong = told === 'client is invalid' ? 'there is no application with its client_id' : told
    const text =
      ctx.status >= 500
        ? 'Something went wrong here. Go back to the application and try once more.'
        : `The application that sent you here did so in a way that we do not accept: ${wrong}. Nothing has happened; tell whoever runs the application.`
    show(
      ctx,
      noticePage({
        place,
        title: 'That did not work',
        text,
        status: ctx.status,
        requestId: ctx.get('x-request-id'),
      }),
    )
  },
})
