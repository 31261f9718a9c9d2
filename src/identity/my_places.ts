import type { Home } from '../contract/home.ts'
import { clientRef, routeRef } from '../contract/place.ts'
import type { Principal } from '../contract/principal.ts'
import { takesSessions } from '../routes/auth_modes.ts'
import type { RoutePlan, RouteTable } from '../routes/route_table.ts'
import type { ClientWithCredentials } from '../clients/client.ts'
import type { ClientRules } from './client_rules.ts'
import type { Judge } from './judge.ts'

/** A service or an application, as people see it. */
export interface Place {
  readonly ref: string
  readonly title: string
  readonly description: string
  /** A name of our set, or an uploaded picture. */
  readonly icon: string | null
  /** Where it begins: the origin of its host and the path of its route, or the start address of an application. */
  readonly address: string
  /** The group that people may ask to join whom it refuses. */
  readonly ask_group: string | null
}

interface Parts {
  readonly home: Home
  readonly routes: () => RouteTable | Promise<RouteTable>
  /** The applications that people may begin to use. */
  readonly applications: () => Promise<readonly ClientWithCredentials[]>
  readonly rules: Pick<ClientRules, 'admits'>
  readonly judge: Judge
}

/** The places that a person may open, and those that refuse them and say whom to ask. */
interface MyPlacesFound {
  readonly open: readonly Place[]
  readonly closed: readonly Place[]
}

/** Finds what a person may open: services, by the rules that decide about their requests there, and applications. */
export class MyPlaces {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** Returns one place for each listed route and each application, by title. A wildcard has no address that a link could lead to. */
  async of(principal: Principal): Promise<MyPlacesFound> {
    const { home, routes, applications, rules } = this.#parts
    const open: Place[] = []
    const closed: Place[] = []
    for (const plan of (await routes()).named()) {
      const { route, siblings } = plan
      if (!route.enabled || !route.listed) continue
      const { title, name, description, icon, domain, path_prefix, ask_group } = route
      const lack = await this.#lackOf(plan, principal)
      const opens = lack === undefined || lack === 'proof'
      if (!opens && (lack !== 'claims' || ask_group === null)) continue
      const address = siblings.originOf(domain, home) + path_prefix
      const place = { ref: routeRef(route), title: title ?? name, description, icon, address, ask_group }
      ;(opens ? open : closed).push(place)
    }
    for (const client of await applications()) {
      const { name: title, icon, start_url, ask_group } = client
      const opens = await rules.admits(principal, client)
      if (!opens && ask_group === null) continue
      const place = { ref: clientRef(client), title, description: '', icon, address: start_url!, ask_group }
      ;(opens ? open : closed).push(place)
    }
    return { open: open.sort(byTitle), closed: closed.sort(byTitle) }
  }

  /** Where no session counts, a browser is a guest. */
  async #lackOf({ route, place }: RoutePlan, principal: Principal) {
    const entrant = takesSessions(route.auth_mode) ? principal : undefined
    return (await this.#parts.judge.enter({ principal: entrant, staticToken: false }, place)).lack
  }
}

const byTitle = (a: Place, b: Place): number =>
  a.title.localeCompare(b.title) || a.address.localeCompare(b.address)
