import type { Home } from '../contract/home.ts'
import type { ShowRefusal } from '../html/show_refusal.ts'
import type { Log } from '../log/log.ts'
import type { RoutePlan, RouteTable } from '../routes/route_table.ts'
import type { LiveSessions } from '../sessions/live_sessions.ts'
import type { ChangeWatch } from '../storage/change_watch.ts'
import type { Revisions } from '../storage/revisions.ts'
import type { UpstreamChoice } from '../upstream/choice.ts'
import type { ClientAddresses } from '../wire/client_address.ts'
import type { OwnPathHandler, OwnPathTable } from '../wire/own_path.ts'
import type { EdgeRequest } from '../wire/request.ts'
import type { Decisions } from './decide/decision.ts'
import type { Askers } from './forward_auth/askers.ts'
import type { LoopDetection } from './forward/loop_detection.ts'

export interface DoorParts {
  readonly peers: ClientAddresses
  readonly askers: Askers
  readonly home: Home
  readonly routes: () => RouteTable | Promise<RouteTable>
  readonly knownRoutes: () => RouteTable | undefined
  /** As they were last: only for probes, while the database does not answer. */
  readonly lastRoutes: () => RouteTable
  readonly decisions: Decisions
  readonly changes: ChangeWatch
  readonly revisions: Pick<Revisions, 'stamp'>
  readonly sessions: Pick<LiveSessions, 'isStillValid'>
  /** Loads what decisions about these sessions need, in one go. */
  readonly warmUp: (sessionIds: readonly string[]) => Promise<void>
  readonly ownPaths: OwnPathTable
  readonly upstreams: UpstreamChoice
  readonly loops: LoopDetection
  readonly log: Log
  readonly counters: { requests: number }
  /** The largest head of a request that is forwarded. */
  readonly maxHeadBytes: number
  readonly tell: ShowRefusal
  /** Says that a head is too large, and offers to clear cookies. */
  readonly tellLargeHead: ShowRefusal
  /** For hosts without a route. */
  readonly tellUnrouted: ShowRefusal
}

/** A request for one of our own pages. */
export interface Own {
  readonly show: OwnPathHandler
  readonly asked: EdgeRequest
  /** The route that gets the request if our handler leaves it to the route. */
  readonly plan: RoutePlan | 'ambiguous' | undefined
}
