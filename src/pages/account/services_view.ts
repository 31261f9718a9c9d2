import { html, Html } from '../../html/html.ts'
import { page } from '../../html/layout.ts'
import type { Place } from '../../identity/my_places.ts'
import { uploadedIn } from '../../contract/icons.ts'
import { iconPath } from '../../pictures/icons.ts'
import { icons, type IconName } from '../../routes/icons.ts'
import type { Catalogue } from '../../strings/catalogue.ts'
import { impersonationBanner } from './me_view.ts'
import { accountNavigation } from './navigation.ts'

interface ServicesPage {
  readonly place: string
  readonly token: string
  readonly impersonating: string | null
  readonly places: readonly Place[]
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

export const servicesPage = (
  words: Catalogue,
  { place, token, impersonating, places, help }: ServicesPage,
): string => {
  const { services } = words
  return page(
    words,
    services.title,
    place,
    html`${accountNavigation(words, 'services')}${impersonationBanner(words, impersonating, token)}<h1>${services.title}</h1>
${
  places.length === 0
    ? html`<p class="lead">${services.none}</p>
<p>${help === '' ? services.ask : help}</p>`
    : html`<ul class="places">${places.map(
        ({ title, description, icon, address }) => html`<li><a href="${address}">${picture(icon)}<span><strong>${title}</strong>
${description !== '' && html`<span class="hint">${description}</span>`}
<span class="hint" dir="ltr">${shortly(address)}</span></span></a></li>`,
      )}</ul>`
}`,
  )
}
