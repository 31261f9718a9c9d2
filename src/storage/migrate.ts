import type { Kysely } from 'kysely'
import { Migrator, type Migration } from 'kysely/migration'
import * as first from './migrations/001_first.ts'
import * as authorization from './migrations/002_authorization.ts'
import * as edge from './migrations/003_edge.ts'
import * as accounts from './migrations/004_accounts.ts'
import * as factors from './migrations/005_factors.ts'
import * as clients from './migrations/006_clients.ts'
import * as tokens from './migrations/007_tokens.ts'
import * as providers from './migrations/008_providers.ts'
import * as registration from './migrations/009_registration.ts'
import * as sessionHost from './migrations/010_session_host.ts'
import * as growth from './migrations/011_growth.ts'
import * as meaning from './migrations/012_meaning.ts'
import * as oneSignIn from './migrations/013_one_sign_in.ts'
import * as routes from './migrations/014_routes.ts'
import * as vouchings from './migrations/015_vouchings.ts'
import * as names from './migrations/016_names.ts'
import * as notices from './migrations/017_notices.ts'
import * as startUrl from './migrations/017_start_url.ts'
import * as applications from './migrations/019_applications.ts'
import * as receivedClaims from './migrations/020_received_claims.ts'
import * as mailedLinks from './migrations/021_mailed_links.ts'
import * as memberships from './migrations/022_memberships.ts'
import * as proofs from './migrations/023_proofs.ts'
import * as webfinger from './migrations/025_webfinger.ts'
import * as attributes from './migrations/026_attributes.ts'
import * as icons from './migrations/027_icons.ts'
import * as pictures from './migrations/027_pictures.ts'
import * as mailedCodes from './migrations/033_mailed_codes.ts'
import * as mailedProof from './migrations/034_mailed_proof.ts'
import * as providerDefaultGroups from './migrations/035_provider_default_groups.ts'
import * as addressSince from './migrations/036_address_since.ts'
import * as requestMails from './migrations/037_request_mails.ts'
import * as secondFactorValues from './migrations/039_second_factor_values.ts'
import * as enrolmentLinks from './migrations/040_enrolment_links.ts'
import * as elsewhere from './migrations/041_elsewhere.ts'
import * as providerPictures from './migrations/042_provider_pictures.ts'
import * as closedAccounts from './migrations/027_closed_accounts.ts'
import * as remembered from './migrations/028_remembered.ts'
import * as accountEnds from './migrations/029_account_ends.ts'
import * as invitations from './migrations/030_invitations.ts'
import * as recoveryLinks from './migrations/030_recovery_links.ts'
import * as asking from './migrations/031_asking.ts'
import * as trustedBrowsers from './migrations/032_trusted_browsers.ts'
import type { Schema } from './schema.ts'

/** Oldest first. Never rename a step, and never edit one once it is released. */
export const migrations: Record<string, Migration> = {
  '001_first': first,
  '002_authorization': authorization,
  '003_edge': edge,
  '004_accounts': accounts,
  '005_factors': factors,
  '006_clients': clients,
  '007_tokens': tokens,
  '008_providers': providers,
  '009_registration': registration,
  '010_session_host': sessionHost,
  '011_growth': growth,
  '012_meaning': meaning,
  '013_one_sign_in': oneSignIn,
  '014_routes': routes,
  '015_vouchings': vouchings,
  '016_names': names,
  '017_notices': notices,
  '017_start_url': startUrl,
  '019_applications': applications,
  '020_received_claims': receivedClaims,
  '021_mailed_links': mailedLinks,
  '022_memberships': memberships,
  '023_proofs': proofs,
  '025_webfinger': webfinger,
  '026_attributes': attributes,
  '027_closed_accounts': closedAccounts,
  '027_icons': icons,
  '027_pictures': pictures,
  '028_remembered': remembered,
  '029_account_ends': accountEnds,
  '030_invitations': invitations,
  '030_recovery_links': recoveryLinks,
  '031_asking': asking,
  '032_trusted_browsers': trustedBrowsers,
  '033_mailed_codes': mailedCodes,
  '034_mailed_proof': mailedProof,
  '035_provider_default_groups': providerDefaultGroups,
  '036_address_since': addressSince,
  '037_request_mails': requestMails,
  '039_second_factor_values': secondFactorValues,
  '040_enrolment_links': enrolmentLinks,
  '041_elsewhere': elsewhere,
  '042_provider_pictures': providerPictures,
}

/** Brings the tables up to date in one transaction, or refuses a database that is newer than this program. */
export const migrate = async (kysely: Kysely<Schema>, steps = migrations): Promise<void> => {
  const done = await stepsDone(kysely)
  const unknown = done.find((name) => !Object.hasOwn(steps, name))
  if (unknown !== undefined) {
    throw new Error(
      `the database has the migration ${unknown}, which this version does not know; start the newer version`,
    )
  }
  // This is the case at almost every start. Kysely's Migrator would read every column of every table several times to
  // find the same.
  if (done.length === Object.keys(steps).length) return
  const migrator = new Migrator({
    db: kysely,
    provider: { getMigrations: async () => steps },
    migrationTableName: 'schema_migrations',
    migrationLockTableName: 'schema_migrations_lock',
  })
  const { error } = await migrator.migrateToLatest()
  if (error) throw error
}

/** What keeps this program from working with the steps that were applied to the database; undefined if they are the ones it knows. */
export const schemaFault = async (kysely: Kysely<Schema>): Promise<string | undefined> => {
  const done = new Set(await stepsDone(kysely))
  const missing = Object.keys(migrations).find((name) => !done.delete(name))
  if (missing !== undefined) return `the database lacks the migration ${missing}; restart hero_proxy`
  const [unknown] = done
  return (
    unknown &&
    `the database has the migration ${unknown}, which this version does not know; start the newer version`
  )
}

/** SQLite has no specific error code for a missing table. */
const missingTableCodes = new Set(['SQLITE_ERROR', '42P01'])

/** The names of the steps that were applied to the database; empty if it is new. */
const stepsDone = async (kysely: Kysely<Schema>): Promise<string[]> => {
  const query = (kysely as unknown as Kysely<{ schema_migrations: { name: string } }>)
    .selectFrom('schema_migrations')
    .select('name')
  try {
    return (await query.execute()).map(({ name }) => name)
  } catch (error) {
    if (missingTableCodes.has((error as NodeJS.ErrnoException).code ?? '')) return []
    throw error
  }
}
