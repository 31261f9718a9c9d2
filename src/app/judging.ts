import { ClientRules } from '../identity/client_rules.ts'
import { Judge } from '../identity/judge.ts'
import { SeenPeople } from '../identity/seen_person.ts'
import type { Rooms } from './rooms.ts'

/** Builds the one judge of who may enter, and what asks it about applications. */
export const createJudging = ({ claims, settings }: Pick<Rooms, 'claims' | 'settings'>) => {
  const seenPeople = new SeenPeople(claims)
  const judge = new Judge(seenPeople)
  const rules = new ClientRules(judge, () => settings.current('client_default_claims'))
  return { seenPeople, judge, rules }
}
