import type { IncomingMessage, ServerResponse } from 'node:http'
import type { PreviousHostProofs } from '../../auth/previous_host_proofs.ts'
import type { Home } from '../../contract/home.ts'
import { AppError } from '../../contract/errors.ts'
import { pageHeaders, type ShowRefusal } from '../../html/show_refusal.ts'
import type { WordsFor } from '../../html/words_for.ts'
import { isForm } from '../../wire/media_type.ts'
import { notFoundRefusal, type Refusal } from '../../wire/refusal.ts'
import type { EdgeRequest } from '../../wire/request.ts'
import { readBody } from '../../wire/request_body.ts'
import {
  isNavigation,
  journeyOf,
  ownHeaders,
  policyWithScript,
  redirect,
  send,
} from '../../wire/responses.ts'
import type { FormGuard } from '../form_tokens.ts'
import { continuePage } from '../openid/openid_views.ts'
import { notAForm } from '../page_refusals.ts'
import { awayPasskeyPage } from './passkey_view.ts'

export interface PreviousParts {
  readonly home: Home
  readonly proofs: PreviousHostProofs
  readonly forms: Pick<FormGuard, 'sameOrigin'>
  readonly wordsFor: WordsFor
  readonly tell: ShowRefusal
}

// What the hosts of earlier public URLs serve. They set no cookie and know nobody.

type Answer = (request: IncomingMessage, response: ServerResponse, asked: EdgeRequest) => Promise<void>

const maxAnswerBytes = 64 * 1024

/** Names home as an origin that may ask for the passkeys of this host (WebAuthn Level 3, section 5.11). */
export const relatedOrigins = ({ home }: Pick<PreviousParts, 'home'>): string =>
  JSON.stringify({ origins: [home.origin] })

/** The page that asks for a passkey of this host, if home has begun that. */
export const askPasskey =
  ({ proofs, wordsFor, tell, home }: PreviousParts): Answer =>
  async (request, response, asked) => {
    if (journeyOf(request) !== 'page') return tell(request, response, asked, notFoundRefusal)
    const begun = new URL(asked.target, 'http://door.invalid').searchParams.get('begun') ?? ''
    const options = await proofs.options(begun, asked.host)
    if (!options) return tell(request, response, asked, overWith(home))
    const words = await wordsFor(request.rawHeaders)
    const body = awayPasskeyPage(words, { host: asked.host, home: home.host, begun, options })
    send(response, 200, 'text/html; charset=utf-8', body, {
      ...pageHeaders(asked, words),
      'content-security-policy': policyWithScript,
    })
  }

/** Takes the answer of the passkey, and sends the browser home with a one-time code. */
export const takePasskey =
  ({ proofs, forms, wordsFor, tell, home }: PreviousParts): Answer =>
  async (request, response, asked) => {
    if (!forms.sameOrigin(request, asked)) return tell(request, response, asked, overWith(home))
    if (!isForm(request.headers['content-type'])) return tell(request, response, asked, notAForm)
    const body = await readBody(request, response, maxAnswerBytes)
    if (body === undefined) return undefined
    const form = new URLSearchParams(body.toString('utf8'))
    let to
    try {
      to = await proofs.take(form.get('begun') ?? '', asked.host, form.get('answer') ?? '')
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      return tell(request, response, asked, overWith(home))
    }
    const words = await wordsFor(request.rawHeaders)
    const shown = continuePage(words, asked.host, to)
    send(response, 200, 'text/html; charset=utf-8', shown, pageHeaders(asked, words))
  }

/** Everything else: people go home, to the same path. */
export const leadHome =
  ({ home, tell }: Pick<PreviousParts, 'home' | 'tell'>): Answer =>
  async (request, response, asked) => {
    if (!isNavigation(request)) return tell(request, response, asked, notFoundRefusal)
    redirect(response, asked, 302, home.origin + asked.target)
  }

/** The proof took too long, or the passkey was refused. It begins again at home. */
const overWith = (home: Home): Refusal => ({
  status: 401,
  reason: 'sign_in_failed',
  code: 'unauthenticated',
  problem: { code: 'unauthenticated', reason: 'passkey_refused' },
  link: { href: `${home.origin}/auth/login`, name: 'try_again' },
})

export const sendRelatedOrigins =
  (parts: Pick<PreviousParts, 'home'>): Answer =>
  async (_, response, asked) =>
    send(response, 200, 'application/json', relatedOrigins(parts), {
      ...ownHeaders(asked),
      'cache-control': 'public, max-age=300',
    })
