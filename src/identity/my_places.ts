import type { Home } from '../contract/home.ts'
import type { Principal } from '../contract/principal.ts'
import { takesSessions } from '../routes/auth_modes.ts'
import type { RoutePlan, RouteTable } from '../routes/route_table.ts'
import type { ClientWithCredentials } from '../clients/client.ts'
import type { ClientRules } from './client_rules.ts'
import type { Judge } from './judge.ts'

/** A service or an application that a person may open, as they see it. */
export interface Place {
  readonly title: string
  readonly description: string
  /** A name of our set, or an uploaded picture. */
  readonly icon: string | null
  /** Where it begins: the origin of its host and the path of its route, or the start address of an application. */
  readonly address: string
}

interface Parts {
  readonly home: Home
  readonly routes: () => RouteTable | Promise<RouteTable>
  /** The applications that people may begin to use. */
  readonly applications: () => Promise<readonly ClientWithCredentials[]>
  readonly rules: Pick<ClientRules, 'admits'>
  readonly judge: Judge
}

/** Finds what a person may open: services, by the rules that decide about their requests there, and applications. */
export class MyPlaces {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** Returns one place for each listed route and each application, by title. A wildcard has no address that a link could lead to. */
  async of(principal: Principal): Promise<readonly Place[]> {
    const { home, routes, applications, rules } = this.#parts
    const places: Place[] = []
    for (const plan of (await routes()).named()) {
      const { route, siblings } = plan
      if (!route.enabled || !route.listed || !(await this.#opens(plan, principal))) continue
      const { title, name, description, icon, domain, path_prefix } = route
      const address = siblings.originOf(domain, home) + path_prefix
      places.push({ title: title ?? name, description, icon, address })
    }
    for (const client of await applications())
      if (await rules.admits(principal, client))
        places.push({ title: client.name, description: '', icon: client.icon, address: client.start_url! })
    return places.sort((a, b) => a.title.localeCompare(b.title) || a.address.localeCompare(b.address))
  }

  /** Where no session counts, a browser is a guest. */
  async #opens({ route, place }: RoutePlan, principal: Principal): Promise<boolean> {
    const entrant = takesSessions(route.auth_mode) ? principal : undefined
    const { lack } = await this.#parts.judge.enter({ principal: entrant, staticToken: false }, place)
    return lack === undefined || lack === 'proof'
  }
}
