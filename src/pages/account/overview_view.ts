import { html } from '../../html/html.ts'
import type { Catalogue } from '../../strings/catalogue.ts'
import { whoList } from './me_view.ts'
import { accountForm, input } from './topic.ts'

/** What `auth.me` returns about the person. */
export interface Overview {
  readonly user: string
  readonly display_name: string
  readonly email: string | null
  readonly claims: readonly string[]
}

/** What a person must know about their account. */
interface Notices {
  readonly endsAt: number | null
  /** Who made the last recovery link, and when. */
  readonly recovery: { readonly by: string; readonly at: number } | undefined
}

export const overviewSection = (
  words: Catalogue,
  token: string,
  me: Overview,
  { endsAt, recovery }: Notices,
) => {
  const own = words.account
  const name = input(
    'profile-display_name',
    own.profile.name,
    html`value="${me.display_name}" autocomplete="name" maxlength="80"`,
  )
  const email = input(
    'email-email',
    own.profile.new_email,
    html`type="email" autocomplete="email" maxlength="254"`,
  )
  return {
    title: own.title,
    heading: me.display_name || me.user,
    content: html`<p class="lead">${own.signed_in}</p>
${endsAt !== null && html`<p class="notice">${own.ends({ at: endsAt })}</p>`}
${recovery && html`<p class="notice">${own.recovery_link(recovery)}</p>`}
${whoList(words, me)}
<form method="post" action="/auth/logout">
<input type="hidden" name="form_token" value="${token}">
<button class="quiet">${own.sign_out}</button>
</form>

<h2>${own.profile.heading}</h2>
<details><summary>${own.profile.change_name}</summary>
${accountForm(token, 'profile', name, own.profile.save_name)}
</details>
<details><summary>${own.profile.change_email}</summary>
${accountForm(token, 'email', email, own.profile.send_link)}
</details>`,
  }
}
