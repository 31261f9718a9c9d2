import type { KoaContextWithOIDC, Provider } from 'oidc-provider'
import type { ClientWithCredentials } from '../../clients/client.ts'
import type { Clients } from '../../clients/clients.ts'
import type { Accounts, ScopeClaims } from '../accounts.ts'
import type { Consents } from '../../consents/consents.ts'
import type { ClientRules } from '../../identity/client_rules.ts'
import type { LiveSessions } from '../../sessions/live_sessions.ts'
import type { Told } from '../told_client.ts'
import type { MayIntrospect } from '../direct_endpoints.ts'
import type { DocumentMode } from '../metadata_documents.ts'
import type { GuardedChecks } from './models.ts'
import type { EnginePages } from './pages.ts'
import type { Records } from './records.ts'
import type { TellToken } from '../jwt_introspection.ts'
import type { ServiceAt } from '../../routes/service_at.ts'

/** An engine, with functions that it does not offer itself. */
export interface Engine {
  readonly provider: Provider
  readonly mayTell: MayIntrospect
  /** Returns our client for the engine's object, or undefined for a client that only has a metadata document. */
  readonly knownClient: (client: object | undefined) => ClientWithCredentials | undefined
  /** Lets the engine call the address that a metadata document names, within what the setting allows. */
  readonly trustDocumentAddress: (address: string) => void
}

export interface EngineParts extends GuardedChecks {
  readonly issuer: string
  readonly records: Records
  readonly clients: Clients
  readonly accounts: Accounts
  readonly consents: Consents
  readonly pages: EnginePages
  /** Who may use an application. */
  readonly rules: ClientRules
  readonly liveSessions: Pick<LiveSessions, 'byId'>
  readonly serviceAt: ServiceAt
  readonly tell: TellToken
  /** Ends what a client got by a grant that it may not use any more. */
  readonly grantLost: (userId: string, client: Told, grantId: string) => Promise<void>
}

/** Settings that the engine reads only once, so a change needs a new engine. */
export interface EngineSettings {
  readonly refreshLifetime: number
  readonly registration: boolean
  readonly documents: DocumentMode
  readonly scopeClaims: ScopeClaims
}

export type Context = KoaContextWithOIDC
