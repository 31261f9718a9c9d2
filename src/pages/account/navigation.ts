import { html, type Html } from '../../html/html.ts'
import type { Catalogue } from '../../strings/catalogue.ts'

const addresses = {
  services: '/auth/services',
  groups: '/auth/groups',
  overview: '/auth/me',
  profile: '/auth/profile',
  security: '/auth/security',
  passkeys: '/auth/passkeys',
  sessions: '/auth/sessions',
  applications: '/auth/applications',
  tokens: '/auth/tokens',
  data: '/auth/data',
} satisfies Record<keyof Catalogue['services']['pages'], string>

export type AccountPlace = keyof typeof addresses

const places = Object.keys(addresses) as AccountPlace[]

/** Links to all pages of a signed-in person. */
export const accountNavigation = ({ services }: Catalogue, current: AccountPlace): Html =>
  html`<nav class="pages" aria-label="${services.navigation}">
    <ul>
      ${places.map(
        (name) =>
          html`<li>
            <a href="${addresses[name]}" ${name === current && html` aria-current="page"`}
              >${services.pages[name]}</a
            >
          </li>`,
      )}
    </ul>
  </nav>`
