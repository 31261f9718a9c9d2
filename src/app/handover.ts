import type { Decisions } from '../edge/decide/decision.ts'
import { Arrivals } from '../handover/arrivals.ts'
import { Destinations } from '../handover/destination.ts'
import { Passages } from '../handover/passages.ts'
import type { HomeParts } from '../pages/handover/at_home.ts'
import type { ServiceParts } from '../pages/handover/at_service.ts'
import type { Judge } from '../identity/judge.ts'
import type { Seal } from '../secrets/seal.ts'
import type { Database } from '../storage/database.ts'
import type { Home } from '../contract/home.ts'
import type { OwnPathTable } from '../wire/own_path.ts'
import type { Flows } from './flows.ts'
import type { Rooms } from './rooms.ts'

interface Parts {
  readonly database: Database
  readonly seal: Seal
  readonly home: Home
  readonly rooms: Pick<Rooms, 'routes' | 'sessions'>
  readonly flows: Pick<Flows, 'arrivalCodes' | 'leftHosts'>
  readonly decisions: Decisions
  readonly judge: Judge
  readonly ownPaths: () => OwnPathTable
}

/** Builds what leads a browser from the host of a service home, and back with a session of its own. */
export const createHandover = ({
  database,
  seal,
  home,
  rooms: { routes, sessions },
  flows: { arrivalCodes: codes, leftHosts },
  decisions,
  judge,
  ownPaths,
}: Parts): HomeParts & ServiceParts => {
  const destinations = new Destinations({ home, routes: () => routes.table(), ownPaths })
  const passages = new Passages(seal, destinations)
  const arrivals = new Arrivals({
    passages,
    database,
    codes,
    children: sessions.children,
    destinations,
    hasLeft: (leaving) => leftHosts.hasLeft(leaving),
    signOut: (id) => sessions.revoke(id, 'logout'),
  })
  const look: ServiceParts['look'] = async (asked, target) => {
    const path = target.replace(/\?.*/s, '')
    const request = { ...asked, method: 'GET', target, path, upgrade: undefined }
    const plan = (await routes.table()).at(asked.host)?.match(path)
    const decision = await decisions.decide(request, plan)
    if (decision.act !== 'forward') return { signsIn: decision.act === 'sign in', identity: undefined }
    const { identity } = decision
    return {
      signsIn: false,
      identity: identity && { ...identity, claims: identity.claims === '' ? [] : identity.claims.split(',') },
    }
  }
  return { home, destinations, codes, arrivals, leftHosts, passages, look, judge }
}
