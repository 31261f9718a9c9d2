import { sql } from 'kysely'
import { refuseWhileImpersonating, type Caller } from '../contract/caller.ts'
import { conflict, invalidParams, notFound } from '../contract/errors.ts'
import { shownName } from '../contract/names.ts'
import type { Log } from '../log/log.ts'
import type { Database } from '../storage/database.ts'
import { newId, now } from '../storage/ids.ts'
import type { PageParams } from '../storage/pager.ts'
import type { AccessRequestRow } from '../storage/schema.ts'
import { attendEach } from '../storage/sweeping.ts'
import type { AskMails } from './ask_mails.ts'
import type { AskTokens } from './ask_tokens.ts'
import type { Asker, AskPlace, AskPlaces } from './places.ts'
import type { AccessRequest } from './request.ts'
import {
  isOpen,
  lifetimeSeconds,
  pauseOf,
  pauseSeconds,
  type FullRequest,
  type RequestRows,
} from './request_rows.ts'

/** How many open requests a person may have. */
const maxOpen = 5

/** What a person may do about a place that refuses them. */
export type Standing =
  | { readonly may: 'ask'; readonly token: string }
  | { readonly may: 'wait'; readonly request: string }
  | { readonly may: 'ask later'; readonly until: number; readonly answer: string }
  | { readonly may: 'nothing' }

interface Parts {
  readonly database: Database
  readonly log: Log
  readonly rows: RequestRows
  readonly tokens: AskTokens
  readonly places: AskPlaces
  /** The claims of a person that count everywhere. */
  readonly claimsOf: (userId: string) => Promise<readonly string[]>
  readonly mails: Pick<AskMails, 'tellDeciders'>
}

interface Group {
  readonly id: string
  readonly slug: string
}

/** The person who calls; never the one that an administrator acts as. */
const askerOf = (caller: Caller): string => {
  refuseWhileImpersonating(caller)
  if (caller.kind !== 'user' || caller.user_id === undefined) throw conflict('Only a person asks for access')
  return caller.user_id
}

/** What people ask for whom a place refuses: a membership in the group that the place names. */
export class AccessRequests {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  async add(caller: Caller, token: string, reason: string): Promise<AccessRequest> {
    const { database, tokens, rows } = this.#parts
    const user_id = askerOf(caller)
    return database.write(async () => {
      const place = await this.#placeOf(tokens.read(token, user_id))
      const group = await this.#groupOf(place)
      // One answer for all: a person who tries tokens learns nothing.
      if (!place || !group)
        throw invalidParams('token', 'the token of a page that refused you within the last day', {
          reason: 'ask_over',
        })
      await this.#refuseNeedless(user_id, place, group)
      refuseTooMuch(await rows.current(user_id), place, group)
      const at = now()
      const row: AccessRequestRow = {
        id: newId(),
        user_id,
        group_id: group.id,
        place: place.ref,
        reason,
        state: 'open',
        created_at: at,
        expires_at: at + lifetimeSeconds,
        decided_at: null,
        answer: '',
        ends_at: null,
        told: 0,
      }
      await rows.add(row)
      await this.#tell({ ...row, user: caller.name }, place.title)
      return this.shown(await rows.get(row.id), false)
    })
  }

  /** Takes a request of one's own back. Nothing stays of it but the audit. */
  async withdraw(caller: Caller, id: string): Promise<null> {
    const user_id = askerOf(caller)
    const { database, rows } = this.#parts
    return database.write(async () => {
      const request = await rows.get(id)
      if (request.user_id !== user_id || !isOpen(request)) throw notFound('request', id)
      await rows.remove(id)
      return null
    })
  }

  /** The requests of a person themselves, newest first. */
  async own(userId: string, page: PageParams) {
    const { items, next_cursor } = await this.#parts.rows.own(userId, page)
    return { items: await Promise.all(items.map((row) => this.shown(row, false))), next_cursor }
  }

  /** What a person may do about each of these places, by its ref. */
  async standings(
    { user_id }: Asker,
    places: readonly Pick<AskPlace, 'ref' | 'ask_group'>[],
  ): Promise<ReadonlyMap<string, Standing>> {
    const { rows, tokens, claimsOf } = this.#parts
    const current = await rows.current(user_id)
    const held = await claimsOf(user_id)
    const found = new Map<string, Standing>()
    const groups = await this.#groupsOf(places)
    for (const place of places) {
      const group = groups.get(place.ask_group?.toLowerCase() ?? '')
      const waiting = current.find(({ state, place: ref }) => state === 'open' && ref === place.ref)
      const pause = group && pauseOf(current, group.id)
      const standing: Standing = waiting
        ? { may: 'wait', request: waiting.id }
        : !group || held.includes(`groups.${group.slug}`)
          ? { may: 'nothing' }
          : pause
            ? { may: 'ask later', until: pause.decided_at! + pauseSeconds, answer: shownName(pause.answer) }
            : { may: 'ask', token: tokens.issue(user_id, place.ref) }
      found.set(place.ref, standing)
    }
    return found
  }

  /** The place that a token offers this person to ask for, while it refuses them; undefined for any other token. */
  async offered(asker: Asker, token: string): Promise<AskPlace | undefined> {
    const place = await this.#placeOf(this.#parts.tokens.read(token, asker.user_id))
    return place && (await this.#groupOf(place)) && (await place.refuses(asker)) ? place : undefined
  }

  /** A request as people see it: those who decide with its group, those who ask only once they are its members. */
  async shown(request: FullRequest, decides: boolean): Promise<AccessRequest> {
    const { id, user, group, reason, state, answer, created_at, expires_at, decided_at, ends_at } = request
    const place = await this.#parts.places.find(request.place)
    return {
      id,
      user,
      group: decides || state === 'approved' ? group : null,
      title: place?.title ?? '',
      address: place?.address ?? null,
      reason: shownName(reason),
      state,
      answer: shownName(answer),
      created_at,
      expires_at,
      decided_at,
      ends_at,
      gives: null,
    }
  }

  /** Tells those who were not told, because they had a mail within the hour, and forgets what is over. */
  async sweep(): Promise<void> {
    const { rows } = this.#parts
    await rows.sweep()
    const untold = await rows.untold()
    await attendEach(
      this.#parts,
      'could not tell who decides about a request for access',
      untold,
      async (request) => this.#tell(request, (await this.shown(request, true)).title),
    )
  }

  async #tell(request: Parameters<AskMails['tellDeciders']>[0], title: string) {
    const { mails, rows } = this.#parts
    if (await mails.tellDeciders(request, title)) await rows.markTold(request.id)
  }

  async #placeOf(ref: string | undefined): Promise<AskPlace | undefined> {
    return ref === undefined ? undefined : this.#parts.places.find(ref)
  }

  /** The group that a place names, if people can be its members. The one of administrators follows is_admin alone. */
  async #groupOf(place: AskPlace | undefined): Promise<Group | undefined> {
    return place && (await this.#groupsOf([place])).get(place.ask_group?.toLowerCase() ?? '')
  }

  /** The same for many places, by slug in lower case. */
  async #groupsOf(places: readonly Pick<AskPlace, 'ask_group'>[]): Promise<ReadonlyMap<string, Group>> {
    const slugs = new Set(places.flatMap(({ ask_group }) => ask_group?.toLowerCase() ?? []))
    slugs.delete('admin')
    if (slugs.size === 0) return new Map()
    const found = await this.#parts.database.query
      .selectFrom('groups')
      .select(['id', 'slug'])
      .where(sql`lower(slug)`, 'in', [...slugs])
      .where('is_active', '=', 1)
      .execute()
    return new Map(found.map((group) => [group.slug.toLowerCase(), group]))
  }

  /** A person who may enter has nothing to ask for, and a member would not be helped by becoming one. */
  async #refuseNeedless(user_id: string, place: AskPlace, { slug }: Group): Promise<void> {
    const { database, claimsOf } = this.#parts
    const asker = await database.query
      .selectFrom('users')
      .select(['id as user_id', 'context'])
      .where('id', '=', user_id)
      .executeTakeFirstOrThrow()
    if (!(await place.refuses(asker)))
      throw conflict('You may open this already', { reason: 'ask_not_needed' })
    if ((await claimsOf(user_id)).includes(`groups.${slug}`))
      throw conflict('You are in the group already, and it does not open this', { reason: 'ask_useless' })
  }
}

const refuseTooMuch = (current: readonly AccessRequestRow[], { ref }: AskPlace, { id }: Group): void => {
  const open = current.filter(({ state }) => state === 'open')
  if (open.some(({ place }) => place === ref))
    throw conflict('You have asked for this already', { reason: 'ask_waiting' })
  const pause = pauseOf(current, id)
  if (pause)
    throw conflict('This was refused within the last week', {
      reason: 'ask_refused',
      until: pause.decided_at! + pauseSeconds,
    })
  if (open.length >= maxOpen)
    throw conflict(`You have ${maxOpen} open requests`, { reason: 'ask_too_many', most: maxOpen })
}
