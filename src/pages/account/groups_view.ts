import type { AccessRequest, Gives } from '../../asking/request.ts'
import type { Member } from '../../groups/group.ts'
import type { OwnGroup } from '../../groups/lent_memberships.ts'
import { html, type Html } from '../../html/html.ts'
import type { Catalogue } from '../../strings/catalogue.ts'
import { accountForm, endLink } from './topic.ts'

export type OwnRequest = Pick<AccessRequest, 'id' | 'title' | 'state' | 'created_at'>

/** A group that the reader administers. */
export interface RunGroup {
  readonly slug: string
  readonly name: string
  readonly members: readonly Member[]
}

interface Shown {
  readonly own: readonly OwnGroup[]
  readonly asked: readonly OwnRequest[]
  readonly decides: readonly AccessRequest[]
  readonly run: readonly RunGroup[]
  /** Days until a membership ends if nobody says when. */
  readonly days: number
}

/** The longest time that the form offers. */
const maxDays = 3650

const daysField = (words: Catalogue, id: string, value: string): Html =>
  html`<label for="${id}">${words.account.groups.days}</label>
<input id="${id}" name="days" type="number" inputmode="numeric" min="1" max="${maxDays}" value="${value}">`

/** What somebody asked for may have been removed since. */
export const titleOf = ({ services }: Catalogue, title: string): string => title || services.asking.gone

/** What opens comes first; the claims are for those who want to know exactly. */
const givesView = (words: Catalogue, { opens, claims, administers }: Gives): Html => {
  const own = words.account.groups
  const scopeOf = (service: string | null, context: number | null) =>
    [service, context].filter((part) => part !== null).join(', ')
  return html`${administers && html`<p class="notice">${own.administers}</p>`}
${
  opens.length === 0
    ? html`<p>${own.opens_nothing}</p>`
    : html`<p>${own.opens}</p>
<ul class="told">${opens.map(({ title, address }) => html`<li>${title}${address !== null && html` <span class="hint" dir="ltr">${address.replace(/^https?:\/\//, '')}</span>`}</li>`)}</ul>`
}
<details><summary>${own.all_claims({ count: claims.length })}</summary>
<ul class="claims">${claims.map(({ claim, service, context }) => html`<li>${claim}${(service !== null || context !== null) && html` (${scopeOf(service, context)})`}</li>`)}</ul>
</details>`
}

const requestView = (words: Catalogue, token: string, request: AccessRequest, days: number): Html => {
  const own = words.account.groups
  const { id, user, title, group, reason, created_at, expires_at, gives } = request
  const hidden = html`<input type="hidden" name="id" value="${id}">`
  return html`<li><p>${own.asks({ user, title: titleOf(words, title), group: group! })}<br>
<span class="number">${own.asked({ at: created_at, until: expires_at })}</span></p>
${reason !== '' && html`<p class="about">${reason}</p>`}
${gives !== null && givesView(words, gives)}
${accountForm(token, 'approve_request', html`${hidden}${daysField(words, `days-${id}`, String(days))}`, own.approve)}
<details><summary>${own.refuse}</summary>
${accountForm(
  token,
  'refuse_request',
  html`${hidden}<label for="reason-${id}">${own.refuse_reason}</label>
<input id="reason-${id}" name="reason" maxlength="300">`,
  own.refuse,
)}
</details></li>`
}

const memberView = (words: Catalogue, { slug }: RunGroup, { user, path, expires_at }: Member): Html => {
  const own = words.account.groups
  return html`<li><p><strong>${user}</strong>${path.length > 1 && html` ${own.through({ group: path.at(-1)! })}`}<br>
<span class="number">${expires_at === null ? own.no_end : own.ends({ at: expires_at })}</span></p>
${path.length === 1 && endLink('remove_member', { group: slug, user }, own.remove)}</li>`
}

const runView = (words: Catalogue, token: string, group: RunGroup): Html => {
  const own = words.account.groups
  const { slug, name, members } = group
  return html`<h2>${own.members_of({ name })}</h2>
${members.length === 0 ? html`<p>${own.no_members}</p>` : html`<ul class="rows">${members.map((member) => memberView(words, group, member))}</ul>`}
<details><summary>${own.add}</summary>
${accountForm(
  token,
  'add_member',
  html`<input type="hidden" name="group" value="${slug}">
<label for="user-${slug}">${words.account.username}</label>
<input id="user-${slug}" name="user" maxlength="63" autocomplete="off" autocapitalize="none" spellcheck="false" required>
${daysField(words, `days-${slug}`, '')}
<p class="hint">${own.empty_for_ever}</p>`,
  own.add,
)}
</details>`
}

export const groupsSection = (words: Catalogue, token: string, { own: mine, asked, decides, run, days }: Shown) => {
  const own = words.account.groups
  return {
    title: own.heading,
    content: html`${
      decides.length > 0 &&
      html`<h2>${own.requests}</h2>
<ul class="rows">${decides.map((request) => requestView(words, token, request, days))}</ul>
<h2>${own.heading}</h2>`
    }
${
  mine.length === 0
    ? html`<p class="lead">${own.none}</p>`
    : html`<ul class="rows">${mine.map(
        ({ name, description, expires_at }) => html`<li><p><strong>${name}</strong>${description !== '' && html`<br><span class="hint">${description}</span>`}${expires_at !== null && html`<br><span class="number">${own.ends({ at: expires_at })}</span>`}</p></li>`,
      )}</ul>`
}
${
  asked.length > 0 &&
  html`<h2>${own.own_requests}</h2>
<ul class="rows">${asked.map(
    ({ id, title, created_at }) => html`<li><p><strong>${titleOf(words, title)}</strong><br>
<span class="number">${own.waiting({ at: created_at })}</span></p>
${endLink('withdraw_request', { id }, words.services.asking.withdraw)}</li>`,
  )}</ul>`
}
${run.map((group) => runView(words, token, group))}`,
  }
}
