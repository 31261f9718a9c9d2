import { alreadyExists, conflict, invalidParams, notFound } from '../contract/errors.ts'
import type { Caller } from '../contract/caller.ts'
import type { Reactions } from '../contract/reactions.ts'
import { Cached } from '../storage/cached.ts'
import type { Log } from '../log/log.ts'
import type { Database } from '../storage/database.ts'
import { newId, now } from '../storage/ids.ts'
import { bit, type ProviderRow } from '../storage/schema.ts'
import type { Seal } from '../secrets/seal.ts'
import { addressesOf } from './endpoints.ts'
import { groupMappings, storeGroupMappings } from './group_mapping.ts'
import { checkClientKey } from './client_authentication.ts'
import type { ClientKey, KnownProvider, Provider } from './provider.ts'
import { checkFields, columnsOfNew, toColumns, toKnown } from './provider_row.ts'
import type { NewProvider, ProviderFields, UnsealedSecret } from './provider_row.ts'
import { presetOf } from './presets.ts'
import {
  refuseUnknownGroups,
  requireAdminFor,
  requireAdminForKnownName,
  requireClaimForGroups,
} from './guards.ts'

interface Parts {
  readonly database: Database
  readonly seal: Seal
  /** Names that sessions already use for our own ways to sign in. */
  readonly reserved: readonly string[]
  readonly mayBeLocal: () => Promise<boolean>
  /** The base of the redirect and logout URIs. */
  readonly publicUrl: string
  readonly log: Log
  readonly reactions: Pick<Reactions, 'keepingTokensEnded'>
}

const sealRow = (id: string) => `providers.${id}`
const sealKey = (id: string) => `providers.${id}.key`

/** The identity providers that people sign in with. A provider vouches for its own identities only, never for those of another. */
export class Providers {
  readonly #parts: Parts
  readonly #known: Cached<readonly KnownProvider[]>
  readonly #names: Cached<readonly string[]>

  constructor(parts: Parts) {
    this.#parts = parts
    this.#known = new Cached(parts.database, ['providers', 'groups'], () => this.#load())
    this.#names = new Cached(parts.database, ['providers'], async () =>
      (await this.#load()).filter(({ enabled }) => enabled).map(({ provider }) => provider),
    )
  }

  get #query() {
    return this.#parts.database.query
  }

  /** The names of enabled providers, in the order in which they were added. Synchronous if cached. */
  names(): readonly string[] | Promise<readonly string[]> {
    return this.#names.get()
  }

  /** All providers, including disabled ones. */
  async all(): Promise<readonly KnownProvider[]> {
    return this.#known.get()
  }

  /** The providers that people can sign in with. */
  async enabled(): Promise<readonly KnownProvider[]> {
    return (await this.#known.get()).filter(({ enabled }) => enabled)
  }

  /** Finds an enabled provider by its name or id. */
  async find(by: { provider: string } | { id: string }): Promise<KnownProvider | undefined> {
    return (await this.enabled()).find((known) =>
      'id' in by ? known.id === by.id : known.provider === by.provider,
    )
  }

  /** Returns a provider by its name, enabled or not. Throws not_found. */
  async known(provider: string): Promise<KnownProvider> {
    const found = (await this.#known.get()).find((known) => known.provider === provider)
    if (!found) throw notFound('provider', provider)
    return found
  }

  async list(): Promise<{ items: Provider[] }> {
    return { items: (await this.#known.get()).map(shown) }
  }

  async get(provider: string): Promise<Provider> {
    return shown(await this.known(provider))
  }

  /** Throws invalid_params if the fields contradict each other or the preset, and claim_required for groups that the caller may not give. */
  async add(fields: NewProvider, caller: Caller): Promise<Provider> {
    const { provider, preset, groups } = fields
    if (this.#parts.reserved.includes(provider))
      throw invalidParams('provider', `any name but ${this.#parts.reserved.join(', ')}`)
    const [at, id] = [now(), newId()]
    const { kind } = presetOf(preset)
    const row: ProviderRow = {
      id,
      provider,
      preset,
      ...addressesOf(fields, await this.#parts.mayBeLocal()),
      secret_sealed: '',
      key_sealed: '',
      created_at: at,
      ...columnsOfNew(fields, at),
    }
    this.#sealSecrets(row, fields)
    checkFields(row, kind)
    requireAdminFor(caller, undefined, fields)
    return this.#parts.database.write(async () => {
      const taken = await this.#query
        .selectFrom('providers')
        .select('id')
        .where('provider', '=', provider)
        .executeTakeFirst()
      if (taken) throw alreadyExists('provider', 'provider')
      const { default_groups = [] } = fields
      const none = { ...row, groups: [], default_groups: [] }
      requireClaimForGroups(caller, none, { ...row, groups: groups ?? [], default_groups })
      await refuseUnknownGroups(this.#query, default_groups)
      await requireAdminForKnownName(caller, this.#query, provider)
      if (fields.own_callback === undefined && kind === 'oidc')
        row.own_callback = bit((await this.#plainCallbackHolder()) !== undefined)
      await this.#refuseSharedCallback(row)
      await this.#query.insertInto('providers').values(row).execute()
      await storeGroupMappings(this.#query, id, groups ?? [])
      this.#parts.database.changed('providers')
      return this.get(provider)
    })
  }

  /** Returns the provider whose redirect URI has no provider name, if there is one. */
  async #plainCallbackHolder(): Promise<{ provider: string } | undefined> {
    return this.#query
      .selectFrom('providers')
      .select('provider')
      .where('own_callback', '=', 0)
      .executeTakeFirst()
  }

  async #refuseSharedCallback({ provider, own_callback }: ProviderRow): Promise<void> {
    const holder = own_callback === 0 ? await this.#plainCallbackHolder() : undefined
    if (holder && holder.provider !== provider)
      throw conflict(
        `${holder.provider} already has the redirect URI without a name: two providers cannot share one`,
      )
  }

  async update(
    provider: string,
    { client_secret, client_key, groups, ...fields }: ProviderFields,
    caller: Caller,
  ): Promise<Provider> {
    return this.#parts.database.write(async () => {
      const before = await this.known(provider)
      requireClaimForGroups(caller, before, { ...before, ...fields, ...(groups && { groups }) })
      await refuseUnknownGroups(this.#query, fields.default_groups ?? [])
      const row = await this.#query
        .selectFrom('providers')
        .selectAll()
        .where('id', '=', before.id)
        .executeTakeFirstOrThrow()
      const at = Math.max(now(), row.updated_at + 1) // A new version, so that the discovery cache reloads.
      const after: ProviderRow = { ...row, ...toColumns({ ...before, ...fields, updated_at: at }) }
      this.#sealSecrets(after, { client_secret, client_key })
      requireAdminFor(caller, before, fields)
      checkFields(after, before.kind)
      await this.#refuseSharedCallback(after)
      await this.#query.updateTable('providers').set(after).where('id', '=', row.id).execute()
      if (groups !== undefined) await storeGroupMappings(this.#query, row.id, groups)
      // Delete the tokens now rather than at each person's next sign-in.
      if (after.keep_tokens === 0) await this.#parts.reactions.keepingTokensEnded(provider)
      this.#parts.database.changed('providers')
      return this.get(provider)
    })
  }

  /** Removes a provider. A later provider under the same name is a different one. */
  async remove(provider: string): Promise<null> {
    return this.#parts.database.write(async () => {
      const { id } = await this.known(provider)
      await this.#query.deleteFrom('providers').where('id', '=', id).execute()
      this.#parts.database.changed('providers')
      return null
    })
  }

  async #load(): Promise<readonly KnownProvider[]> {
    const rows = await this.#query.selectFrom('providers').selectAll().orderBy('id').execute()
    const given = await groupMappings(this.#query)
    return rows.map((row) => toKnown(row, this.#unseal(row), given(row.id), this.#parts.publicUrl))
  }

  /** Seals what is given; null removes it. */
  #sealSecrets(
    row: ProviderRow,
    { client_secret, client_key }: Pick<ProviderFields, 'client_secret' | 'client_key'>,
  ): void {
    const { seal } = this.#parts
    if (client_secret !== undefined)
      row.secret_sealed = client_secret ? seal.seal(client_secret, sealRow(row.id)) : ''
    if (client_key === undefined) return
    if (client_key !== null) checkClientKey(client_key)
    row.key_sealed = client_key === null ? '' : seal.seal(JSON.stringify(client_key), sealKey(row.id))
  }

  #unseal({ id, provider, secret_sealed, key_sealed }: ProviderRow): UnsealedSecret | undefined {
    const { seal } = this.#parts
    try {
      return {
        secret: secret_sealed === '' ? '' : seal.open(secret_sealed, sealRow(id)),
        client_key:
          key_sealed === '' ? undefined : (JSON.parse(seal.open(key_sealed, sealKey(id))) as ClientKey),
      }
    } catch {
      this.#parts.log.error({ provider }, 'the secret of this provider cannot be unsealed: set it again')
      return undefined
    }
  }
}

const shown = ({ kind: _, secret: __, client_key: ___, ...provider }: KnownProvider): Provider => provider
