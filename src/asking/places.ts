import { satisfiesRule } from '../claims/rule.ts'
import type { ClientWithCredentials } from '../clients/client.ts'
import { AppError } from '../contract/errors.ts'
import type { Home } from '../contract/home.ts'
import { clientRef, routeRef } from '../contract/place.ts'
import { anyProof } from '../contract/proofs.ts'
import { withoutSession, type ClientRules } from '../identity/client_rules.ts'
import type { Judge } from '../identity/judge.ts'
import type { Route } from '../routes/route.ts'
import type { RoutePlan, RouteTable } from '../routes/route_table.ts'
import { placeOf } from '../routes/route_place.ts'

/** Somebody who wants to enter. */
export interface Asker {
  readonly user_id: string
  readonly context: number
}

/** A service or an application whose rule may refuse people. */
export interface AskPlace {
  /** `route` and its id, or `client` and its client_id. */
  readonly ref: string
  readonly title: string
  /** Where it begins; null if no link leads there. */
  readonly address: string | null
  /** The group that people may ask to join. */
  readonly ask_group: string | null
  /** The service whose scoped claims count; empty for none. */
  readonly service: string
  readonly required_claims: readonly string[]
  /** Whether its rule refuses this person, and a claim would change that. */
  readonly refuses: (asker: Asker) => Promise<boolean>
}

interface Parts {
  readonly home: Home
  readonly routes: () => RouteTable | Promise<RouteTable>
  readonly route: (id: string) => Promise<Route>
  readonly client: (client: string) => Promise<ClientWithCredentials | undefined>
  readonly clients: () => Promise<readonly ClientWithCredentials[]>
  readonly judge: Judge
  readonly rules: Pick<ClientRules, 'admits'>
}

/** Finds the places that people ask for, and those that a membership opens. */
export class AskPlaces {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** Returns an enabled route or an active client; undefined if there is none any more. */
  async find(ref: string): Promise<AskPlace | undefined> {
    const [, kind, name = ''] = /^(route|client) (.+)$/s.exec(ref) ?? []
    if (kind === 'client') {
      const client = await this.#parts.client(name)
      return client && this.#ofClient(client)
    }
    if (kind !== 'route') return undefined
    try {
      const route = await this.#parts.route(name)
      return route.enabled ? this.#ofRoute(route, await this.#parts.routes()) : undefined
    } catch (error) {
      if (error instanceof AppError && error.error === 'not_found') return undefined
      throw error
    }
  }

  /** All places with a rule that somebody with these claims satisfies; `held` returns the claims at a service. */
  async openedBy(held: (service: string) => readonly string[]): Promise<AskPlace[]> {
    return (await this.all()).filter(
      ({ required_claims, service }) =>
        required_claims.length > 0 && satisfiesRule(required_claims, held(service)),
    )
  }

  /** The enabled routes of hosts with a name, and the active clients with a rule. */
  async all(): Promise<AskPlace[]> {
    const table = await this.#parts.routes()
    const routes = [...table.named()].filter(({ route }: RoutePlan) => route.enabled)
    const clients = await this.#parts.clients()
    return [
      ...routes.map(({ route }) => this.#ofRoute(route, table)),
      ...clients.map((client) => this.#ofClient(client)),
    ].sort((a, b) => a.title.localeCompare(b.title))
  }

  #ofRoute(route: Route, table: RouteTable): AskPlace {
    const { home, judge } = this.#parts
    const { title, name, domain, path_prefix, ask_group, service, required_claims } = route
    const host = domain.startsWith('*.') ? undefined : table.at(domain)
    return {
      ref: routeRef(route),
      title: title ?? name,
      address: host ? host.originOf(domain, home) + path_prefix : null,
      ask_group,
      service: service ?? '',
      required_claims,
      refuses: async (asker) => {
        const entrant = { principal: withoutSession(asker), staticToken: false }
        return (await judge.enter(entrant, { ...placeOf(route), ...anyProof })).lack === 'claims'
      },
    }
  }

  #ofClient(client: ClientWithCredentials): AskPlace {
    const { name, start_url, ask_group, service, required_claims } = client
    return {
      ref: clientRef(client),
      title: name,
      address: start_url,
      ask_group,
      service: service ?? '',
      required_claims,
      refuses: async (asker) => !(await this.#parts.rules.admits(asker, client)),
    }
  }
}
