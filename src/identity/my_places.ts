import { satisfiesRule } from '../claims/rule.ts'
import type { Home } from '../contract/home.ts'
import type { Principal } from '../contract/principal.ts'
import { allowsEmail } from '../routes/allowed_emails.ts'
import { takesSessions } from '../routes/auth_modes.ts'
import { guestsPass } from '../routes/guests.ts'
import type { IconName } from '../routes/icons.ts'
import type { Route } from '../routes/route.ts'
import type { RouteTable } from '../routes/route_table.ts'
import type { SeenPeople } from './seen_person.ts'

/** A service that a person may open, as they see it. */
export interface Place {
  readonly title: string
  readonly description: string
  readonly icon: IconName | null
  /** Where it begins: the origin of its host, and the path of its route. */
  readonly address: string
}

interface Parts {
  readonly home: Home
  readonly routes: () => RouteTable | Promise<RouteTable>
  readonly people: SeenPeople
}

/** Finds the services that a person may open, by the rules that decide about their requests there. */
export class MyPlaces {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** Returns one place for each listed route, by title. A wildcard has no address that a link could lead to. */
  async of(principal: Principal): Promise<readonly Place[]> {
    const { home, routes } = this.#parts
    const places: Place[] = []
    for (const { route, siblings } of (await routes()).named()) {
      if (!route.enabled || !route.listed || !(await this.#opens(route, principal))) continue
      const { title, name, description, icon, domain, path_prefix } = route
      const address = siblings.originOf(domain, home) + path_prefix
      places.push({ title: title ?? name, description, icon, address })
    }
    return places.sort((a, b) => a.title.localeCompare(b.title) || a.address.localeCompare(b.address))
  }

  /** Browsers have no credential for `bearer` and `signature`. */
  async #opens(route: Route, principal: Principal): Promise<boolean> {
    if (guestsPass(route)) return true
    if (!takesSessions(route.auth_mode)) return false
    const person = await this.#parts.people.find(principal, route.service)
    if (!person || !satisfiesRule(route.required_claims, person.claims)) return false
    return allowsEmail(route.allowed_emails, person.email_verified ? person.email : null)
  }
}
