import type { Claims } from '../claims/claims.ts'
import type { Caller } from '../contract/caller.ts'
import { conflict, invalidParams } from '../contract/errors.ts'
import { claimsWithin } from '../contract/token_scopes.ts'
import type { GroupProofs } from '../groups/group_proofs.ts'
import type { Groups } from '../groups/groups.ts'
import type { LentMemberships } from '../groups/lent_memberships.ts'
import { refuseWithoutClaim } from '../identity/method_rule.ts'
import type { Database } from '../storage/database.ts'
import { now } from '../storage/ids.ts'
import type { PageParams } from '../storage/pager.ts'
import type { AccessRequests } from './access_requests.ts'
import type { AskMails } from './ask_mails.ts'
import type { AskPlaces } from './places.ts'
import type { AccessRequest, Gives } from './request.ts'
import { isOpen, type FullRequest, type RequestRows } from './request_rows.ts'

/** How many services and applications are named that a membership opens. */
const maxOpened = 50
/** As for groups.add_member. */
const deciderClaims = ['proxy.groups.write', 'groups.{group}.admin'] as const

interface Parts {
  readonly database: Database
  readonly rows: RequestRows
  readonly requests: Pick<AccessRequests, 'shown'>
  readonly places: AskPlaces
  readonly claims: Pick<Claims, 'givenBy'>
  readonly groups: Pick<Groups, 'changeable'>
  readonly proofs: Pick<GroupProofs, 'refuseWithProof'>
  readonly lent: LentMemberships
  readonly mails: Pick<AskMails, 'tellAsker'>
  /** Days until a membership ends that was asked for. */
  readonly days: () => Promise<number>
}

/** Decides about requests, as groups.add_member would: by the administrators of the group and proxy.groups.write. */
export class Deciding {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** The open requests that this caller may decide, each with everything that the membership gives. */
  async list(caller: Caller, page: PageParams) {
    const { items, next_cursor } = await this.#parts.rows.open(groupsOf(caller), page)
    const known = new Map<string, Promise<Gives>>()
    const shown = items.map(async (request): Promise<AccessRequest> => {
      const key = `${request.group_id} ${request.context}`
      const gives = known.get(key) ?? this.#gives(request)
      known.set(key, gives)
      return { ...(await this.#parts.requests.shown(request, true)), gives: await gives }
    })
    return { items: await Promise.all(shown), next_cursor }
  }

  async approve(caller: Caller, id: string, endsAt: number | undefined): Promise<AccessRequest> {
    const { database, rows, requests, places, groups, proofs, lent, mails, days } = this.#parts
    return database.write(async () => {
      const request = await this.#decidable(caller, id)
      const { group, user_id, group_id } = request
      const place = await places.find(request.place)
      if (place?.ask_group?.toLowerCase() !== group.toLowerCase())
        throw conflict('Nobody may ask for this any more: refuse it', { reason: 'ask_gone' })
      await groups.changeable(group)
      if (!caller.claims.has('proxy.groups.write') && caller.kind !== 'operator')
        await proofs.refuseWithProof(group)
      const until = endsAt ?? now() + (await days()) * 86_400
      if (until <= now()) throw invalidParams('ends_at', 'a time in the future')
      const ends_at = await lent.lend(group_id, user_id, until)
      await rows.decide(request, { state: 'approved', answer: '', ends_at })
      await mails.tellAsker(user_id, { until: ends_at }, place)
      return requests.shown(await rows.get(id), true)
    })
  }

  async refuse(caller: Caller, id: string, answer: string): Promise<AccessRequest> {
    const { database, rows, requests, mails } = this.#parts
    return database.write(async () => {
      const request = await this.#decidable(caller, id)
      await rows.decide(request, { state: 'refused', answer, ends_at: null })
      const shown = await requests.shown(await rows.get(id), true)
      await mails.tellAsker(request.user_id, { answer }, shown)
      return shown
    })
  }

  /** Nobody decides about themselves, nor about what was decided before. */
  async #decidable(caller: Caller, id: string): Promise<FullRequest> {
    const request = await this.#parts.rows.get(id)
    refuseWithoutClaim({ claim: deciderClaims }, { group: request.group }, caller)
    if (request.user_id === caller.user_id)
      throw conflict('Somebody else has to decide about your request', { reason: 'ask_own' })
    if (!isOpen(request)) throw conflict('This was decided already', { reason: 'ask_decided' })
    return request
  }

  async #gives({ group_id, context }: FullRequest): Promise<Gives> {
    const { claims, places } = this.#parts
    const services = [...new Set((await places.all()).map(({ service }) => service))]
    const { all, at } = await claims.givenBy(group_id, context, services)
    const opened = await places.openedBy((service) => at.get(service) ?? [])
    const names = all.map(({ claim }) => claim)
    return {
      opens: opened.slice(0, maxOpened).map(({ title, address }) => ({ title, address })),
      claims: [...all],
      administers: claimsWithin(names, 'write').length < names.length,
    }
  }
}

/** The groups whose requests somebody sees, by slug in lower case. */
const groupsOf = ({ kind, claims }: Caller): 'all' | readonly string[] => {
  if (kind === 'operator' || claims.has('proxy.groups.write')) return 'all'
  if (kind !== 'user') return []
  return [...claims].flatMap((claim) => /^groups\.([^.]+)\.admin$/i.exec(claim)?.[1]?.toLowerCase() ?? [])
}
