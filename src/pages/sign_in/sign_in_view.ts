import type { Catalogue } from '../../strings/catalogue.ts'
import { box, linkList, type Box } from '../../html/form.ts'
import { html, type Html } from '../../html/html.ts'
import { manifestLink, page } from '../../html/layout.ts'
import { offered, passkeyForm, passkeyTag, type PasskeyOffer } from './passkey_script.ts'
import { signInTag } from './sign_in_script.ts'

/** What people can do here besides signing in by password. */
export interface Offers {
  /** The name of this installation. */
  readonly site: string
  readonly registration: 'closed' | 'invite' | 'open'
  readonly magicLinks: boolean
  readonly mailCodes: boolean
  /** For how many seconds without use, and at most, people may stay signed in; undefined if they may not. */
  readonly remember: { readonly seconds: number; readonly most: number } | undefined
  /** For how many seconds people may trust a browser; undefined if they may not. */
  readonly trust: number | undefined
  /** Whether another device of a person may sign them in. */
  readonly elsewhere: boolean
  /** The names for which passkeys were made, the current one first. */
  readonly rpIds: readonly string[]
  /** The providers that people can sign in with, in the order of their creation. */
  readonly providers: readonly {
    readonly provider: string
    readonly title: string
    /** Whether people can give a fresh proof there. */
    readonly asks_anew: boolean
    /** Whether a sign-in there may count as one with a second factor. */
    readonly gives_second: boolean
  }[]
}

/** What is wrong, and the field that it is about. */
export interface FieldProblem {
  readonly text: string
  readonly field: 'login' | 'password'
}

/** Why somebody who is signed in signs in anew: they prove nothing in this sign-in, or want to stay signed in. */
export type Anew = 'another_device' | 'to_stay'

export interface SignInPage {
  readonly place: string
  readonly token: string
  readonly returnTo: string
  readonly offers: Offers
  readonly passkeys: readonly PasskeyOffer[]
  /** The service that the person wants to open. */
  readonly service?: { readonly host: string; readonly title: string | null } | undefined
  /** The name of the way by which somebody last signed in in this browser. */
  readonly lastWay?: string | undefined
  /** Whether the person signs in as somebody else, so that a provider asks which account to use. */
  readonly chooses?: boolean
  /** Why the person who is signed in signs in here anew. */
  readonly anew?: Anew | undefined
  readonly login?: string
  readonly problem?: FieldProblem
}

/** More ways than these are behind `<details>`. */
const mostWaysShown = 4

/** Makes a button or link with these attributes. */
type Control = (attributes: Html | false) => Html

/** One way to sign in, marked if it was the last one that was used in this browser. */
const way = ({ sign_in }: Catalogue, isLast: boolean, control: Control): Html =>
  html`<div class="way">${control(isLast && html` aria-describedby="last-used"`)}${isLast && html`<span class="last" id="last-used">${sign_in.page.last_used}</span>`}</div>`

/** The form of the password. The buttons of providers belong to it too, so that its box counts for them without scripts. */
const formId = 'sign-in'

const link =
  (href: string, text: string): Control =>
  (attributes) =>
    html`<a class="button quiet" href="${href}" data-onward${attributes}>${text}</a>`

/** The ways besides the password, in their fixed order, by the names that sessions have for them. */
const otherWays = (words: Catalogue, { token, returnTo, offers, passkeys, lastWay, anew }: SignInPage) => {
  const { page: own } = words.sign_in
  const onward = encodeURIComponent(returnTo)
  const controls: (readonly [name: string, control: Control])[] = []
  for (const [i, offer] of passkeys.entries())
    controls.push([
      i === 0 ? 'passkey' : `passkey of ${offer.rpId}`,
      (attributes) =>
        passkeyForm(words, {
          way: 'get',
          ...offered(words, offer, i),
          renewed: `/auth/passkey_options?rp_id=${encodeURIComponent(offer.rpId)}`,
          inField: i === 0,
          action: '/auth/passkey',
          token,
          hidden: { return_to: returnTo, rp_id: offer.rpId },
          attributes,
        }),
    ])
  for (const { provider, title } of offers.providers)
    controls.push([
      provider,
      (attributes) =>
        html`<button class="quiet" form="${formId}" name="provider" value="${provider}" formnovalidate${attributes}>${own.with_provider({ provider: title })}</button>`,
    ])
  if (offers.magicLinks)
    controls.push(['magic_link', link(`/auth/magic?return_to=${onward}`, own.email_link)])
  if (offers.elsewhere && anew === undefined)
    controls.push([
      'another_device',
      link(`/auth/elsewhere?return_to=${onward}`, own.another_device),
    ])
  return controls.map(([name, control]) => ({
    isLast: name === lastWay,
    shown: way(words, name === lastWay, control),
  }))
}

const others = (words: Catalogue, shown: SignInPage): Html | false => {
  const ways = otherWays(words, shown)
  if (ways.length === 0) return false
  const { page: own } = words.sign_in
  const rest = ways.slice(mostWaysShown)
  return html`<section class="others" aria-labelledby="other-ways">
<h2 id="other-ways">${own.other_ways}</h2>
${ways.slice(0, mostWaysShown).map((each) => each.shown)}
${
  rest.length > 0 &&
  html`<details${rest.some(({ isLast }) => isLast) && html` open`}>
<summary>${own.more_ways}</summary>
${rest.map((each) => each.shown)}
</details>`
}
</section>`
}

const help = ({ sign_in }: Catalogue, { offers: { registration }, returnTo }: SignInPage) => [
  { href: '/auth/reset', text: sign_in.page.forgot_password },
  ...(registration === 'open' ? [{ href: `/auth/register?return_to=${encodeURIComponent(returnTo)}`, text: sign_in.page.create_account }] : []),
]

/** The box by which people ask to stay signed in, if that is offered. */
export const rememberBox = ({ sign_in: { remember } }: Catalogue, { remember: offer }: Pick<Offers, 'remember'>): Box | false =>
  offer !== undefined && { name: 'remember', label: remember.label(offer), hint: remember.hint(offer) }

const wrong = (problem: FieldProblem | undefined, field: FieldProblem['field']) => ({
  attributes: problem?.field === field && html` aria-invalid="true" aria-describedby="problem"`,
  text: problem?.field === field && html`<p class="wrong" role="alert" id="problem">${problem.text}</p>`,
})

const passwordForm = (words: Catalogue, shown: SignInPage): Html => {
  const { token, returnTo, offers, login = '', problem, lastWay, chooses } = shown
  const { password, page: own } = words.sign_in
  // The first field that the person has to fill in or correct.
  const focused = problem?.field ?? (login === '' ? 'login' : 'password')
  const kept = rememberBox(words, offers)
  const about = { login: wrong(problem, 'login'), password: wrong(problem, 'password') }
  return html`<form method="post" action="/auth/login" id="${formId}">
<input type="hidden" name="form_token" value="${token}">
<input type="hidden" name="return_to" value="${returnTo}">
${chooses && html`<input type="hidden" name="prompt" value="select_account">`}
<label for="login">${own.login}</label>
<input id="login" name="login" value="${login}" autocomplete="username webauthn" autocapitalize="none" spellcheck="false" required maxlength="254"${about.login.attributes}${focused === 'login' && html` autofocus`}>
${about.login.text}
<label for="password">${password}</label>
<input id="password" name="password" type="password" autocomplete="current-password" required maxlength="1024"${about.password.attributes}${focused === 'password' && html` autofocus`}>
<button type="button" class="reveal" aria-pressed="false" aria-controls="password" data-reveal="password" hidden>${own.show_password}</button>
${about.password.text}
${kept && box(kept)}
${way(words, lastWay === 'password', (attributes) => html`<button${attributes}>${own.button}</button>`)}
</form>`
}

export const signInPage = (words: Catalogue, shown: SignInPage): string => {
  const { place, offers, service } = shown
  const { page: own } = words.sign_in
  return page(
    words,
    own.title,
    { site: offers.site, host: place },
    html`<h1>${own.title}</h1>
${service && html`<p class="lead">${own.for_service(service)}</p>`}
${shown.anew && html`<p class="lead">${own.anew[shown.anew]}</p>`}
${passwordForm(words, shown)}
${others(words, shown)}
${linkList(help(words, shown))}
${passkeyTag}
${signInTag}`,
    manifestLink,
  )
}
