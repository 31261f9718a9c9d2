import { AskTokens } from '../asking/ask_tokens.ts'
import { ClientRules } from '../identity/client_rules.ts'
import { Judge } from '../identity/judge.ts'
import { PlaceChecks } from '../identity/place_check.ts'
import { SeenPeople } from '../identity/seen_person.ts'
import type { Seal } from '../secrets/seal.ts'
import type { Rooms } from './rooms.ts'

/** Builds the one judge of who may enter, what asks it about applications, and what it offers to people whom it refuses. */
export const createJudging = (
  {
    claims,
    clients,
    routes,
    settings,
    users,
  }: Pick<Rooms, 'claims' | 'clients' | 'routes' | 'settings' | 'users'>,
  seal: Seal,
) => {
  const seenPeople = new SeenPeople(claims)
  const judge = new Judge(seenPeople)
  const rules = new ClientRules(judge, () => settings.current('client_default_claims'))
  const placeChecks = new PlaceChecks({
    judge,
    rules,
    claims,
    userOf: async (username) => users.get({ username }),
    route: (id) => routes.get(id),
    client: (name) => clients.find(name),
  })
  return { seenPeople, judge, rules, placeChecks, askTokens: new AskTokens(seal) }
}
