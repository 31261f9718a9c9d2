import { alreadyExists, invalidParams, notFound } from '../contract/errors.ts'
import { findsAccounts, isIssuedByUs, isOfAccount } from '../contract/jwt_claims.ts'
import { Cached } from '../storage/cached.ts'
import type { Database } from '../storage/database.ts'
import { newId, now } from '../storage/ids.ts'
import { bit, type AttributeRow } from '../storage/schema.ts'
import { isIdentifying, toAttribute, type Attribute } from './attribute.ts'
import { compile } from './checks.ts'

export type NewAttribute = Pick<Attribute, 'name' | 'type' | 'source'> &
  Partial<Pick<Attribute, 'values' | 'pattern' | 'unique' | 'scope'>>
export type AttributeChange = Partial<Pick<Attribute, 'source' | 'values' | 'pattern' | 'scope'>>

/** What administrators define about people besides name and address. */
export class Attributes {
  readonly #database: Database
  readonly #all: Cached<ReadonlyMap<string, Attribute>>

  constructor(database: Database) {
    this.#database = database
    this.#all = new Cached(database, ['settings'], async () => {
      const rows = await database.query.selectFrom('attributes').selectAll().orderBy('name').execute()
      return new Map(rows.map((row) => [row.name, toAttribute(row)]))
    })
  }

  /** All attributes, by name. */
  all(): ReadonlyMap<string, Attribute> | Promise<ReadonlyMap<string, Attribute>> {
    return this.#all.get()
  }

  async list(): Promise<{ items: Attribute[] }> {
    return { items: [...(await this.all()).values()] }
  }

  async add(fields: NewAttribute): Promise<Attribute> {
    const at = now()
    const attribute: Attribute = {
      id: newId(),
      values: [],
      pattern: null,
      unique: false,
      scope: null,
      ...fields,
      created_at: at,
      updated_at: at,
    }
    await this.#check(attribute)
    return this.#database.write(async () => {
      const all = await this.all()
      if (all.has(attribute.name)) throw alreadyExists('attribute', 'name')
      if (all.size >= 100) throw invalidParams('name', 'at most 100 attributes')
      await this.#database.query.insertInto('attributes').values(toRow(attribute)).execute()
      this.#database.changed('settings')
      return attribute
    })
  }

  /** Values that are there stay, whatever is allowed from now on; another source removes them. */
  async update(name: string, change: AttributeChange): Promise<Attribute> {
    return this.#database.write(async () => {
      const before = await this.#get(name)
      const after = { ...before, ...change, updated_at: now() }
      await this.#check(after)
      const { query } = this.#database
      if (after.source !== before.source)
        await query.deleteFrom('user_attributes').where('attribute_id', '=', after.id).execute()
      await query.updateTable('attributes').set(toRow(after)).where('id', '=', after.id).execute()
      this.#changed()
      return after
    })
  }

  /** Removes the attribute and its values. */
  async remove(name: string): Promise<null> {
    return this.#database.write(async () => {
      const { id } = await this.#get(name)
      await this.#database.query.deleteFrom('attributes').where('id', '=', id).execute()
      this.#changed()
      return null
    })
  }

  async #get(name: string): Promise<Attribute> {
    const attribute = (await this.all()).get(name)
    if (!attribute) throw notFound('attribute', name)
    return attribute
  }

  #changed(): void {
    this.#database.changed('settings')
    this.#database.changed('users')
  }

  async #check(attribute: Attribute): Promise<void> {
    const { name, type, source, values, pattern, unique, scope } = attribute
    if (isIssuedByUs(name) || isOfAccount(name))
      throw invalidParams('name', 'no JWT claim that we issue ourselves')
    if (scope !== null && findsAccounts(name) && !isIdentifying(attribute))
      throw invalidParams(
        'scope',
        `none for ${name}, by which applications find accounts, unless it is unique and its source is administrator`,
      )
    const isText = type === 'text' || type === 'list'
    if (pattern !== null) {
      if (!isText) throw invalidParams('pattern', 'none for a number or a boolean')
      await compile(pattern)
    }
    const ofType = type === 'number' ? 'number' : 'string'
    if (type === 'boolean' ? values.length > 0 : values.some((value) => typeof value !== ofType))
      throw invalidParams('values', type === 'boolean' ? 'none for a boolean' : `each a ${ofType}`)
    if (unique && (type === 'boolean' || type === 'list'))
      throw invalidParams('unique', 'false for a boolean or a list')
    await this.#checkSource(source)
  }

  async #checkSource(source: string): Promise<void> {
    if (source === 'person' || source === 'administrator') return
    const provider = await this.#database.query
      .selectFrom('providers')
      .select('id')
      .where('provider', '=', source)
      .executeTakeFirst()
    if (!provider) throw invalidParams('source', 'person, administrator, or the name of a provider')
  }
}

const toRow = ({ values, unique, pattern, scope, ...others }: Attribute): AttributeRow => ({
  ...others,
  pattern: pattern ?? '',
  scope: scope ?? '',
  allowed_values: JSON.stringify(values),
  is_unique: bit(unique),
})
