import { AccessRequests } from '../asking/access_requests.ts'
import { AskMails } from '../asking/ask_mails.ts'
import { Deciding } from '../asking/deciding.ts'
import { AskPlaces } from '../asking/places.ts'
import { RequestRows } from '../asking/request_rows.ts'
import type { KnownDevices } from '../auth/known_devices.ts'
import type { createJudging } from './judging.ts'
import type { Ground, Rooms } from './rooms.ts'

/** Builds how people ask for access whom a place refuses, and who decides about it. */
export const createAsking = (
  { database, home, log }: Pick<Ground, 'database' | 'home' | 'log'>,
  { claims, clients, clientLists, groups, groupProofs, lentMemberships, mails, routes, settings }: Rooms,
  { judge, rules, askTokens }: ReturnType<typeof createJudging>,
  devices: KnownDevices,
) => {
  const places = new AskPlaces({
    home,
    routes: () => routes.table(),
    route: (id) => routes.get(id),
    client: async (name) => clients.find(name),
    clients: () => clientLists.withRule(false),
    judge,
    rules,
  })
  const askMails = new AskMails({
    database,
    mails,
    languageOf: (userId) => devices.languageOf(userId),
    asksProof: (groupId) => groupProofs.asks(groupId),
    home: home.origin,
  })
  const rows = new RequestRows(database)
  const requests = new AccessRequests({
    database,
    log,
    rows,
    tokens: askTokens,
    places,
    claimsOf: async (userId) => (await claims.of(userId)) ?? [],
    mails: askMails,
  })
  const deciding = new Deciding({
    database,
    rows,
    requests,
    places,
    claims,
    groups,
    proofs: groupProofs,
    lent: lentMemberships,
    mails: askMails,
    days: () => settings.value('request_days'),
  })
  return { askPlaces: places, requests, deciding }
}
