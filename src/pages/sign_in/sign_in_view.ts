import { linkList } from '../../html/form.ts'
import { html } from '../../html/html.ts'
import { page } from '../../html/layout.ts'
import { passkeyForm, passkeyTag } from './passkey_script.ts'

/** What people may do here besides signing in by password. */
export interface Offers {
  readonly registration: 'closed' | 'invite' | 'open'
  readonly magicLinks: boolean
  /** Those that people can sign in with, first come first. */
  readonly providers: readonly {
    readonly provider: string
    readonly title: string
    /** Whether people can prove themselves there once more. */
    readonly asks_anew: boolean
  }[]
}

const waysOf = ({ registration, magicLinks }: Offers, returnTo: string) => [
  { href: '/auth/reset', text: 'Forgot your password?' },
  ...(magicLinks
    ? [{ href: `/auth/magic?return_to=${encodeURIComponent(returnTo)}`, text: 'Sign in with a mailed link' }]
    : []),
  ...(registration === 'open' ? [{ href: '/auth/register', text: 'Make an account' }] : []),
]

const providerLinks = ({ providers }: Offers, returnTo: string) =>
  providers.length > 0 &&
  html`<p class="or">or</p>
<ul class="providers">${providers.map(
    ({ provider, title }) =>
      html`<li><a class="button quiet" href="/login?provider=${provider}&next=${encodeURIComponent(returnTo)}">Sign in with ${title}</a></li>`,
  )}</ul>`

interface SignInPage {
  readonly place: string
  readonly token: string
  readonly returnTo: string
  readonly offers: Offers
  /** What the browser is told to ask a passkey with; undefined where none is valid. */
  readonly passkey: unknown
  readonly login?: string
  readonly problem?: string
}

export const signInPage = ({ place, token, returnTo, offers, passkey, login, problem }: SignInPage): string =>
  page(
    'Sign in',
    place,
    html`<h1>Sign in</h1>
${problem !== undefined && html`<p class="notice" role="alert" id="problem">${problem}</p>`}
<form method="post" action="/auth/login">
<input type="hidden" name="form_token" value="${token}">
<input type="hidden" name="return_to" value="${returnTo}">
<label for="login">Username or email</label>
<input id="login" name="login" value="${login ?? ''}" autocomplete="username" autocapitalize="none" spellcheck="false" required maxlength="254"${login === undefined && html` autofocus`}>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required maxlength="1024"${problem !== undefined && html` aria-describedby="problem"`}${login !== undefined && html` autofocus`}>
<button>Sign in</button>
</form>
${passkey !== undefined && html`${passkeyForm({ way: 'get', options: passkey, action: '/auth/passkey', token, hidden: { return_to: returnTo }, button: 'Use a passkey' })}${passkeyTag}`}
${providerLinks(offers, returnTo)}
${linkList(waysOf(offers, returnTo))}`,
  )
