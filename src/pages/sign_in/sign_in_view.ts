import type { Catalogue } from '../../strings/catalogue.ts'
import { linkList } from '../../html/form.ts'
import { html } from '../../html/html.ts'
import { page } from '../../html/layout.ts'
import { passkeyForm, passkeyTag } from './passkey_script.ts'

/** What people can do here besides signing in by password. */
export interface Offers {
  readonly registration: 'closed' | 'invite' | 'open'
  readonly magicLinks: boolean
  /** The providers that people can sign in with, in the order of their creation. */
  readonly providers: readonly {
    readonly provider: string
    readonly title: string
    /** Whether people can give a fresh proof there. */
    readonly asks_anew: boolean
  }[]
}

const waysOf = ({ sign_in }: Catalogue, { registration, magicLinks }: Offers, returnTo: string) => [
  { href: '/auth/reset', text: sign_in.page.forgot_password },
  ...(magicLinks
    ? [{ href: `/auth/magic?return_to=${encodeURIComponent(returnTo)}`, text: sign_in.page.email_link }]
    : []),
  ...(registration === 'open' ? [{ href: '/auth/register', text: sign_in.page.create_account }] : []),
]

const providerLinks = ({ sign_in }: Catalogue, { providers }: Offers, returnTo: string) =>
  providers.length > 0 &&
  html`<p class="or">${sign_in.page.or}</p>
<ul class="providers">${providers.map(
    ({ provider, title }) =>
      html`<li><a class="button quiet" href="/login?provider=${provider}&next=${encodeURIComponent(returnTo)}">${sign_in.page.with_provider({ provider: title })}</a></li>`,
  )}</ul>`

interface SignInPage {
  readonly place: string
  readonly token: string
  readonly returnTo: string
  readonly offers: Offers
  /** The browser's options to ask for a passkey; undefined if none is valid here. */
  readonly passkey: unknown
  readonly login?: string
  readonly problem?: string
}

export const signInPage = (
  words: Catalogue,
  { place, token, returnTo, offers, passkey, login, problem }: SignInPage,
): string => {
  const { password, use_passkey, page: own } = words.sign_in
  return page(
    words,
    own.title,
    place,
    html`<h1>${own.title}</h1>
${problem !== undefined && html`<p class="notice" role="alert" id="problem">${problem}</p>`}
<form method="post" action="/auth/login">
<input type="hidden" name="form_token" value="${token}">
<input type="hidden" name="return_to" value="${returnTo}">
<label for="login">${own.login}</label>
<input id="login" name="login" value="${login ?? ''}" autocomplete="username" autocapitalize="none" spellcheck="false" required maxlength="254"${login === undefined && html` autofocus`}>
<label for="password">${password}</label>
<input id="password" name="password" type="password" autocomplete="current-password" required maxlength="1024"${problem !== undefined && html` aria-describedby="problem"`}${login !== undefined && html` autofocus`}>
<button>${own.button}</button>
</form>
${passkey !== undefined && html`${passkeyForm(words, { way: 'get', options: passkey, action: '/auth/passkey', token, hidden: { return_to: returnTo }, button: use_passkey })}${passkeyTag}`}
${providerLinks(words, offers, returnTo)}
${linkList(waysOf(words, offers, returnTo))}`,
  )
}
