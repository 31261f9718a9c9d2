import { renderSVG } from 'uqr'
import type { Waiting } from '../../auth/elsewhere/elsewhere_requests.ts'
import { linkList } from '../../html/form.ts'
import { Html, html } from '../../html/html.ts'
import { page } from '../../html/layout.ts'
import type { Catalogue } from '../../strings/catalogue.ts'
import { offered, passkeyForm, passkeyTag, type PasskeyOffer } from '../sign_in/passkey_script.ts'

interface Intro {
  readonly place: string
  readonly token: string
  readonly returnTo: string
  readonly passkeys: readonly PasskeyOffer[]
  readonly problem: string | undefined
}

const notice = (problem: string | undefined): Html | false =>
  problem !== undefined && html`<p class="notice" role="alert">${problem}</p>`

const beginForm = (token: string, returnTo: string, button: string): Html =>
  html`<form method="post" action="/auth/elsewhere">
<input type="hidden" name="form_token" value="${token}">
<input type="hidden" name="return_to" value="${returnTo}">
<button>${button}</button>
</form>`

const back = ({ sign_in }: Catalogue, returnTo: string) => ({
  href: `/auth/login?return_to=${encodeURIComponent(returnTo)}`,
  text: sign_in.back,
})

/** Before the QR code: what it is, and the better way. */
export const introPage = (words: Catalogue, { place, token, returnTo, passkeys, problem }: Intro): string => {
  const { elsewhere: own } = words
  return page(
    words,
    own.title,
    place,
    html`<h1>${own.title}</h1>
${notice(problem)}
${
  passkeys.length > 0 &&
  html`<p class="lead">${own.passkey}</p>
${passkeys.map((offer, i) =>
    passkeyForm(words, {
      way: 'get',
      ...offered(words, offer, i),
      action: '/auth/passkey',
      token,
      hidden: { return_to: returnTo, rp_id: offer.rpId },
    }),
  )}
${passkeyTag}`
}
<p class="lead">${own.lead}</p>
<p class="hint">${own.limits}</p>
${beginForm(token, returnTo, own.show)}
${linkList([back(words, returnTo)])}`,
  )
}

interface Wait extends Omit<Intro, 'passkeys'> {
  /** The address of this page. */
  readonly reload: string
  readonly waiting: Waiting
  readonly magicLinks: boolean
}

/** The QR code and the digits, or what has become of them. */
export const waitPage = (words: Catalogue, shown: Wait): string => {
  const { state } = shown.waiting
  if (state === 'approved') return approvedPage(words, shown)
  return state === 'ended' ? endedPage(words, shown) : codePage(words, shown, state)
}

const codePage = (
  words: Catalogue,
  { place, returnTo, reload, waiting }: Wait,
  state: 'waiting' | 'opened',
): string => {
  const { elsewhere: own } = words
  return page(
    words,
    own.title,
    place,
    html`<h1>${own[state].title}</h1>
<p class="lead" role="status">${own[state].lead}</p>
<p class="compare"><code>${waiting.digits ?? ''}</code></p>
${
  state === 'waiting' &&
  html`<div class="qr" role="img" aria-label="${own.waiting.picture}">${new Html(renderSVG(waiting.link ?? '', { border: 2 }))}</div>`
}
<a class="button quiet" href="${reload}">${own.reload}</a>
${linkList([back(words, returnTo)])}`,
  )
}

const approvedPage = (words: Catalogue, { place, token, returnTo, waiting, problem }: Wait): string => {
  const { title, lead, button } = words.elsewhere.approved
  return page(
    words,
    title,
    place,
    html`<h1>${title}</h1>
${notice(problem)}
<p class="lead">${lead({ user: waiting.user ?? '' })}</p>
<form method="post" action="/auth/elsewhere/enter">
<input type="hidden" name="form_token" value="${token}">
<input type="hidden" name="return_to" value="${returnTo}">
<button>${button}</button>
</form>
${linkList([back(words, returnTo)])}`,
  )
}

const endedPage = (words: Catalogue, { place, token, returnTo, waiting, magicLinks }: Wait): string => {
  const { elsewhere: own } = words
  const byMail = magicLinks && waiting.why === 'family'
  return page(
    words,
    own.ended.title,
    place,
    html`<h1>${own.ended.title}</h1>
<p class="notice" role="alert">${own.ended[waiting.why === '' ? 'over' : waiting.why]}</p>
${beginForm(token, returnTo, own.ended.again)}
${linkList([
  ...(byMail
    ? [{ href: `/auth/magic?return_to=${encodeURIComponent(returnTo)}`, text: own.ended.email_link }]
    : []),
  back(words, returnTo),
])}`,
  )
}
