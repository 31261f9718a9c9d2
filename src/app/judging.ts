import { AskTokens } from '../asking/ask_tokens.ts'
import { ClientRules } from '../identity/client_rules.ts'
import { Judge } from '../identity/judge.ts'
import { SeenPeople } from '../identity/seen_person.ts'
import type { Seal } from '../secrets/seal.ts'
import type { Rooms } from './rooms.ts'

/** Builds the one judge of who may enter, what asks it about applications, and what it offers to people whom it refuses. */
export const createJudging = ({ claims, settings }: Pick<Rooms, 'claims' | 'settings'>, seal: Seal) => {
  const seenPeople = new SeenPeople(claims)
  const judge = new Judge(seenPeople)
  const rules = new ClientRules(judge, () => settings.current('client_default_claims'))
  return { seenPeople, judge, rules, askTokens: new AskTokens(seal) }
}
