import type { PeopleTables } from './tables/people.ts'
import type { SignInTables } from './tables/sign_in.ts'
import type { ApplicationTables } from './tables/applications.ts'
import type { ProviderTables } from './tables/providers.ts'
import type { DoorTables } from './tables/door.ts'
import type { DaemonTables } from './tables/daemon.ts'

export { bit, type Bit } from './tables/columns.ts'
export type * from './tables/people.ts'
export type * from './tables/sign_in.ts'
export type * from './tables/applications.ts'
export type * from './tables/providers.ts'
export type * from './tables/door.ts'
export type * from './tables/daemon.ts'

/** The tables, as Kysely sees them; the migrations make them. */
export interface Schema
  extends PeopleTables, SignInTables, ApplicationTables, ProviderTables, DoorTables, DaemonTables {}

/** What caches are made from; a change raises its subject's revision in the same transaction. */
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
