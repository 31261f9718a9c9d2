import type { KoaContextWithOIDC } from 'oidc-provider'
import type { EnginePages } from '../../oidc/engine/pages.ts'
import { wantsPage } from '../../wire/responses.ts'
import type { WordsFor } from '../../html/words_for.ts'
import type { Catalogue } from '../../strings/catalogue.ts'
import { noticePage } from '../../html/notice.ts'
import * as pages from './openid_views.ts'

type Context = KoaContextWithOIDC

const xsrfOf = (ctx: Context): string =>
  (ctx.oidc.session as unknown as { state: { secret: string } }).state.secret

const nameOf = ({ oidc: { client } }: Context, { openid }: Catalogue): string =>
  client?.clientName ?? client?.clientId ?? openid.device.some_device

const show = (ctx: Context, { lang }: Catalogue, text: string): void => {
  ctx.type = 'html'
  ctx.vary('Accept-Language')
  ctx.set('content-language', lang)
  ctx.body = text
}

/** The pages at the addresses of oidc-provider, in the style of all our pages. */
export const enginePages = (place: string, wordsFor: WordsFor): EnginePages => {
  const wordsOf = (ctx: Context) => wordsFor(ctx.req.rawHeaders)
  return {
    logout: async (ctx) => {
      const words = await wordsOf(ctx)
      const name = ctx.oidc.client && nameOf(ctx, words)
      show(ctx, words, pages.endSessionPage(words, place, xsrfOf(ctx), name))
    },
    loggedOut: async (ctx) => {
      const words = await wordsOf(ctx)
      show(ctx, words, pages.signedOutPage(words, place))
    },
    device: async (ctx, _form, _out, error) => {
      const words = await wordsOf(ctx)
      const { userCode = '', retry_after } = (error ?? {}) as { userCode?: string; retry_after?: number }
      const { problems, failed, too_many } = words.openid.device
      const problem =
        retry_after === undefined
          ? error && (Object.hasOwn(problems, error.name) ? problems[error.name] : failed)
          : too_many({ retry_after })
      show(ctx, words, pages.devicePage(words, place, xsrfOf(ctx), problem, userCode))
    },
    deviceConfirm: async (ctx, _form, _client, info, code) => {
      const words = await wordsOf(ctx)
      const { ip = '' } = info as { ip?: string }
      const { username = '' } = ctx.oidc.session as unknown as { username?: string }
      const asked = { name: nameOf(ctx, words), code, address: ip, user: username }
      show(ctx, words, pages.deviceConfirmPage(words, place, xsrfOf(ctx), asked))
    },
    deviceDone: async (ctx) => {
      const words = await wordsOf(ctx)
      show(ctx, words, pages.deviceDonePage(words, place, nameOf(ctx, words)))
    },
    leave: async (ctx, to) => {
      const words = await wordsOf(ctx)
      show(ctx, words, pages.continuePage(words, place, to, 'signing_out'))
    },
    error: async (ctx, out) => {
      if (!wantsPage({ method: ctx.method, rawHeaders: ctx.req.rawHeaders } as never)) {
        ctx.body = out
        return
      }
      const words = await wordsOf(ctx)
      const { title, ours, theirs, unknown_client } = words.openid.error
      const description = out.error_description ?? out.error
      const problem = description === 'client is invalid' ? unknown_client : description
      const wait = ctx.status === 429 && Number(ctx.response.get('retry-after') || 60)
      const text =
        ctx.status >= 500
          ? ours
          : wait
            ? words.refusals.problems.rate_limited({ retry_after: wait })
            : theirs({ problem })
      const requestId = ctx.get('x-request-id')
      show(ctx, words, noticePage(words, { place, title, text, status: ctx.status, requestId }))
    },
  }
}
