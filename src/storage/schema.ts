import type { UsersTables } from './tables/users.ts'
import type { AttributesTables } from './tables/attributes.ts'
import type { PicturesTables } from './tables/pictures.ts'
import type { GroupsTables } from './tables/groups.ts'
import type { RolesTables } from './tables/roles.ts'
import type { ServicesTables } from './tables/services.ts'
import type { PasswordsTables } from './tables/passwords.ts'
import type { AttemptsTables } from './tables/attempts.ts'
import type { FactorsTables } from './tables/factors.ts'
import type { SessionsTables } from './tables/sessions.ts'
import type { TokenTables } from './tables/token.ts'
import type { ClientsTables } from './tables/clients.ts'
import type { ConsentsTables } from './tables/consents.ts'
import type { ProvidersTables } from './tables/providers.ts'
import type { RoutesTables } from './tables/routes.ts'
import type { KeysTables } from './tables/keys.ts'
import type { MailTables } from './tables/mail.ts'
import type { InvitationsTables } from './tables/invitations.ts'
import type { AuditTables } from './tables/audit.ts'
import type { SettingsTables } from './tables/settings.ts'
import type { TlsTables } from './tables/tls.ts'
import type { AuthTables } from './tables/auth.ts'
import type { AskingTables } from './tables/asking.ts'
import type { HandoverTables } from './tables/handover.ts'
import type { FederationTables } from './tables/federation.ts'
import type { OidcTables } from './tables/oidc.ts'
import type { StorageTables } from './tables/storage.ts'

export { bit, type Bit } from './tables/columns.ts'
export {
  hasEnded,
  isAdmitted,
  isAdmittedSql,
  isUnconfirmed,
  isUnconfirmedSql,
  maySignIn,
  maySignInSql,
  signInColumns,
} from './tables/users.ts'
export type * from './tables/users.ts'
export type * from './tables/attributes.ts'
export type * from './tables/pictures.ts'
export type * from './tables/groups.ts'
export type * from './tables/roles.ts'
export type * from './tables/services.ts'
export type * from './tables/passwords.ts'
export type * from './tables/attempts.ts'
export type * from './tables/factors.ts'
export type * from './tables/sessions.ts'
export type * from './tables/token.ts'
export type * from './tables/clients.ts'
export type * from './tables/consents.ts'
export type * from './tables/providers.ts'
export type * from './tables/routes.ts'
export type * from './tables/keys.ts'
export type * from './tables/mail.ts'
export type * from './tables/invitations.ts'
export type * from './tables/audit.ts'
export type * from './tables/settings.ts'
export type * from './tables/tls.ts'
export type * from './tables/auth.ts'
export type * from './tables/asking.ts'
export type * from './tables/handover.ts'
export type * from './tables/federation.ts'
export type * from './tables/oidc.ts'
export type * from './tables/storage.ts'

/**
 * The tables as Kysely sees them; the migrations create them. Each file in `tables/` has the tables of one owner and
 * has the same name as its folder.
 */
export interface Schema
  extends
    UsersTables,
    AttributesTables,
    PicturesTables,
    GroupsTables,
    RolesTables,
    ServicesTables,
    PasswordsTables,
    AttemptsTables,
    FactorsTables,
    SessionsTables,
    TokenTables,
    ClientsTables,
    ConsentsTables,
    ProvidersTables,
    RoutesTables,
    KeysTables,
    MailTables,
    InvitationsTables,
    AuditTables,
    SettingsTables,
    TlsTables,
    AuthTables,
    AskingTables,
    HandoverTables,
    FederationTables,
    OidcTables,
    StorageTables {}

/** The subjects that caches depend on. A change raises its subject's revision in the same transaction. */
export const subjects = [
  'users',
  'groups',
  'sessions',
  'routes',
  'settings',
  'services',
  'keys',
  'certificates',
  'clients',
  'tokens',
  'records',
  'providers',
] as const
export type Subject = (typeof subjects)[number]
