import type { Catalogue } from '../../strings/catalogue.ts'
import { html } from '../../html/html.ts'
import { page } from '../../html/layout.ts'

interface LinkPage {
  readonly place: string
  readonly token: string
  /** The name of the provider. */
  readonly title: string
  /** The name of the account at the provider. */
  readonly login: string
  readonly email: string | null
  /** The person who is signed in here; undefined if nobody is yet. */
  readonly user: string | undefined
  readonly problem?: string | undefined
}

/** Asks whether an account at a provider belongs to the reader. It is linked only after they sign in and confirm it. */
export const linkPage = (
  words: Catalogue,
  { place, token, title, login, email, user, problem }: LinkPage,
): string => {
  const { link } = words.sign_in
  const account = login !== '' && email !== null ? `${login} (${email})` : login || (email ?? '')
  return page(
    words,
    link.title,
    place,
    html`<h1>${link.heading({ provider: title })}</h1>
${problem !== undefined && html`<p class="notice" role="alert">${problem}</p>`}
<p class="lead">${
      user === undefined
        ? link.guest({ provider: title, email: email ?? '' })
        : link.signed_in({ user, provider: title, account })
    }</p>
${user !== undefined && html`<p class="hint">${link.warning({ provider: title })}</p>`}
${
  user === undefined
    ? html`<a class="button" href="/auth/login?return_to=/auth/link">${link.sign_in}</a>`
    : html`<form method="post" action="/auth/link">
<input type="hidden" name="form_token" value="${token}">
<button name="answer" value="link">${link.accept}</button>
<button class="quiet" name="answer" value="no">${link.refuse}</button>
</form>`
}`,
  )
}
