import type { Static } from '../contract/schema_builder.ts'
import { notFound } from '../contract/errors.ts'
import { Cached } from '../storage/cached.ts'
import type { Database } from '../storage/database.ts'
import { now } from '../storage/ids.ts'
import type { Seal } from '../secrets/seal.ts'
import { definitions, isSecret, type SettingKey, type SettingValues } from './definitions.ts'
import type { Setting } from './setting.ts'
import { whenReady } from '../storage/when_ready.ts'

const rowOf = (key: SettingKey) => `settings.${key}`

const isKey = (key: string): key is SettingKey => Object.hasOwn(definitions, key)

/** Settings that administrators change at run time. A setting that was never set has its default. */
export class Settings {
  readonly #database: Database
  readonly #seal: Seal
  readonly #hosts: ReadonlySet<string>
  readonly #stored: Cached<ReadonlyMap<string, unknown>>

  /** `hosts` are those of the public URLs. */
  constructor(database: Database, seal: Seal, hosts: ReadonlySet<string>) {
    this.#database = database
    this.#hosts = hosts
    this.#seal = seal
    this.#stored = new Cached(database, ['settings'], async () => {
      const rows = await database.query.selectFrom('settings').selectAll().execute()
      return new Map(
        rows.flatMap(({ key, value }) => {
          if (!isKey(key)) return []
          return [[key, JSON.parse(isSecret(key) ? seal.open(value, rowOf(key)) : value) as unknown] as const]
        }),
      )
    })
  }

  async value<K extends SettingKey>(key: K): Promise<SettingValues[K]> {
    return this.current(key)
  }

  /** Like `value`, without a promise if the value is known. */
  current<K extends SettingKey>(key: K): SettingValues[K] | Promise<SettingValues[K]> {
    return whenReady(
      this.#stored.get(),
      (stored) => (stored.get(key) ?? definitions[key].default) as SettingValues[K],
    )
  }

  async list(): Promise<{ items: Static<typeof Setting>[] }> {
    return { items: await Promise.all(Object.keys(definitions).map((key) => this.get(key))) }
  }

  async get(key: string): Promise<Static<typeof Setting>> {
    if (!isKey(key)) throw notFound('setting', key)
    const { description, allowed, default: fallback } = definitions[key]
    const value = await this.value(key)
    const shown = isSecret(key) && value !== '' ? 'set' : value
    return { key, value: shown, default: fallback, description, allowed }
  }

  async set(key: string, value: unknown): Promise<Static<typeof Setting>> {
    if (!isKey(key)) throw notFound('setting', key)
    definitions[key].check(value, this.#hosts)
    const text = JSON.stringify(value)
    const stored = isSecret(key) ? this.#seal.seal(text, rowOf(key)) : text
    const row = { key, value: stored, updated_at: now() }
    return this.#database.write(async () => {
      this.#database.changed('settings')
      await this.#database.query
        .insertInto('settings')
        .values(row)
        .onConflict((conflict) =>
          conflict.column('key').doUpdateSet({ value: row.value, updated_at: row.updated_at }),
        )
        .execute()
      return this.get(key)
    })
  }
}
