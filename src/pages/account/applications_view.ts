import { html } from '../../html/html.ts'
import type { Catalogue } from '../../strings/catalogue.ts'
import { meaningsOf } from '../openid/scopes_view.ts'
import { endLink } from './topic.ts'

/** An application that the person has allowed. */
export interface Consent {
  readonly client: string
  readonly name: string
  readonly scopes: readonly string[]
  readonly created_at: number
}

export const applicationsSection = (words: Catalogue, consents: readonly Consent[]) => {
  const own = words.account.applications
  return {
    title: own.heading,
    content:
      consents.length === 0
        ? html`<p>${own.none}</p>`
        : html`<ul class="rows">${consents.map(
            ({ client, name, scopes, created_at }) => html`<li><p>${own.access({ name, may: meaningsOf(words, scopes) })}<br><span class="number">${own.since({ at: created_at })}</span></p>
${endLink('revoke_consent', { client }, own.revoke)}</li>`,
          )}</ul>`,
  }
}
