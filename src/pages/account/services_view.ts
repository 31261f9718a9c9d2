import type { Standing } from '../../asking/access_requests.ts'
import { html, Html } from '../../html/html.ts'
import { page } from '../../html/layout.ts'
import type { Place } from '../../identity/my_places.ts'
import { uploadedIn } from '../../contract/icons.ts'
import { iconPath } from '../../pictures/icons.ts'
import { icons, type IconName } from '../../routes/icons.ts'
import type { Catalogue } from '../../strings/catalogue.ts'
import { impersonationBanner } from './me_view.ts'
import { accountNavigation } from './navigation.ts'
import { endLink } from './topic.ts'

type ShownPlace = Omit<Place, 'ref' | 'ask_group'>

/** `until`: when the membership ends that the person may have asked for. */
export type OpenPlace = ShownPlace & { readonly until: number | null }
export type ClosedPlace = ShownPlace & { readonly standing: Exclude<Standing, { readonly may: 'nothing' }> }

interface ServicesPage {
  readonly place: string
  readonly token: string
  readonly impersonating: string | null
  readonly open: readonly OpenPlace[]
  readonly closed: readonly ClosedPlace[]
  readonly help: string
}

const drawn = (icon: string | null): Html =>
  // The pictures are ours, so they need no escaping.
  html`<svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false"><path d="${new Html(Object.hasOwn(icons, icon ?? '') ? icons[icon as IconName] : icons.app)}"/></svg>`

const picture = (icon: string | null): Html => {
  const id = uploadedIn(icon)
  return id === undefined
    ? drawn(icon)
    : html`<img src="${iconPath}/${id}" width="24" height="24" alt="" loading="lazy">`
}

/** Without the scheme, as people know it. */
const shortly = (address: string): string => address.replace(/^https?:\/\//, '').replace(/\/$/, '')

/** What the person may do about a place that refuses them. */
const standingView = (words: Catalogue, { standing }: ClosedPlace): Html => {
  const own = words.services.asking
  if (standing.may === 'ask')
    return html`<a class="button quiet" href="/auth/ask?token=${standing.token}">${own.ask}</a>`
  if (standing.may === 'wait')
    return html`<p class="number">${own.waiting}</p>
${endLink('withdraw_request', { id: standing.request }, own.withdraw)}`
  const { until, answer } = standing
  return html`<p class="number">${own.refused({ until })}${answer !== '' && html`<br>${own.answer({ answer })}`}</p>`
}

export const servicesPage = (
  words: Catalogue,
  { place, token, impersonating, open, closed, help }: ServicesPage,
): string => {
  const { services } = words
  return page(
    words,
    services.title,
    place,
    html`${accountNavigation(words, 'services')}${impersonationBanner(words, impersonating, token)}<h1>${services.title}</h1>
${
  open.length === 0
    ? html`<p class="lead">${services.none}</p>
<p>${help === '' ? services.ask : help}</p>`
    : html`<ul class="places">${open.map(
        ({ title, description, icon, address, until }) => html`<li><a href="${address}">${picture(icon)}<span><strong>${title}</strong>
${description !== '' && html`<span class="hint">${description}</span>`}
${until !== null && html`<span class="hint">${services.asking.until({ until })}</span>`}
<span class="hint" dir="ltr">${shortly(address)}</span></span></a></li>`,
      )}</ul>`
}
${
  closed.length > 0 &&
  html`<h2>${services.asking.closed}</h2>
<ul class="rows">${closed.map(
    (one) => html`<li><p><strong>${one.title}</strong>${one.description !== '' && html`<br><span class="hint">${one.description}</span>`}<br>
<span class="hint" dir="ltr">${shortly(one.address)}</span></p>
${standingView(words, one)}</li>`,
  )}</ul>`
}`,
  )
}
