import { html, type Html } from '../../html/html.ts'
import type { Catalogue } from '../../strings/catalogue.ts'
import { deviceOf } from '../../strings/browser_name.ts'
import { signInAnew } from '../sign_in/sign_in_anew.ts'
import { titleOfWay } from './security_view.ts'
import { endLink } from './topic.ts'

/** A sign-in, as `sessions.list` returns it. */
export interface SignInRow {
  readonly id: string
  readonly provider: string
  readonly address: string
  readonly user_agent: string
  readonly factor: '' | 'totp' | 'recovery' | 'passkey'
  readonly proven_at: number
  readonly second_at: number
  readonly passkey_at: number
  readonly created_at: number
  readonly last_used_at: number
  readonly current: boolean
  readonly remembered: boolean
  readonly by_another_device: boolean
  readonly hosts: readonly string[]
}

/** A trusted browser, as `sessions.trusted.list` returns it. */
export interface TrustedRow {
  readonly id: string
  readonly address: string
  readonly user_agent: string
  readonly created_at: number
  readonly last_used_at: number
  readonly expires_at: number
  readonly current: boolean
}

type Providers = Parameters<typeof titleOfWay>[1]

/** When the person last proved who they are, and how strongly: what services that ask for more go by. */
const provedLine = (words: Catalogue, { proven_at, second_at, passkey_at }: SignInRow): string => {
  const { proved } = words.account.sessions
  if (passkey_at > 0 && passkey_at >= proven_at) return proved.passkey({ at: passkey_at })
  const line = proven_at === 0 ? proved.unknown : proved.any({ at: proven_at })
  if (second_at === 0) return line
  return second_at >= proven_at ? proved.second({ at: second_at }) : `${line}. ${proved.second({ at: second_at })}`
}

/** Says what a person needs to recognise a sign-in: browser, address, time, proof, and the hosts that it opened. */
export const sessionFacts = (words: Catalogue, session: SignInRow, providers: Providers): Html => {
  const own = words.account.sessions
  const { provider, factor, hosts, created_at } = session
  const proofs = [titleOfWay(words, providers, provider), ...(factor === '' ? [] : [own.factors[factor]])]
  return html`<p><strong>${deviceOf(words, session.user_agent)}</strong>${session.current && ` (${own.current})`}<br>
<span class="number">${own.details(session)}<br>
${own.signed_in({ at: created_at, proofs })}<br>
${provedLine(words, session)}${hosts.length > 0 && html`<br>
${own.opened({ hosts })}`}${session.remembered && html`<br>
${own.kept}`}${session.by_another_device && html`<br>
<strong>${own.by_another_device}</strong>`}</span></p>`
}

export const trustedFacts = (words: Catalogue, browser: TrustedRow): Html => {
  const own = words.account.sessions
  return html`<p><strong>${deviceOf(words, browser.user_agent)}</strong>${browser.current && ` (${own.current})`}<br>
<span class="number">${own.details(browser)}<br>
${own.trusted.dates(browser)}</span></p>`
}

const trustedPart = (words: Catalogue, trusted: readonly TrustedRow[]): Html => {
  const own = words.account.sessions
  return html`<h2>${own.trusted.heading}</h2>
<p class="lead">${own.trusted.about}</p>
${
  trusted.length === 0
    ? html`<p class="hint">${own.trusted.none}</p>`
    : html`<ul class="rows">${trusted.map(
        (browser) => html`<li>${trustedFacts(words, browser)}
${endLink('untrust', { id: browser.id }, own.trusted.end)}</li>`,
      )}</ul>`
}`
}

/** One button, without a question: somebody may be using the other browser now. */
const endAtOnce = (words: Catalogue, token: string, id: string): Html =>
  html`<form method="post" action="/auth/account/revoke">
<input type="hidden" name="form_token" value="${token}">
<input type="hidden" name="id" value="${id}">
<button class="quiet danger">${words.account.sessions.end_it}</button>
</form>`

/** `trusted` is undefined where nobody may trust a browser, and `mayStay` says whether people may stay signed in. */
export const sessionsSection = (words: Catalogue, token: string, sessions: readonly SignInRow[], providers: Providers, trusted: readonly TrustedRow[] | undefined, mayStay: boolean) => {
  const own = words.account.sessions
  return {
    title: own.heading,
    content: html`<p class="lead">${own.about}</p>
<p class="hint">${own.kept_about}</p>
<ul class="rows">${sessions.map(
      (session) => html`<li>${sessionFacts(words, session, providers)}
${session.current && mayStay && !session.remembered && !session.by_another_device && html`<p><a href="${signInAnew('/auth/sessions')}">${own.keep}</a></p>`}${!session.current && (session.by_another_device ? endAtOnce(words, token, session.id) : endLink('revoke', { id: session.id }, own.end))}</li>`,
    )}</ul>
${sessions.some(({ current }) => !current) && endLink('revoke_all', {}, own.end_others)}
${trusted && trustedPart(words, trusted)}`,
  }
}
