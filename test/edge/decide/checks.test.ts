import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Claims } from '../../../src/claims/claims.ts'
import { operator } from '../../../src/contract/caller.ts'
import { checks, Question, type CheckParts } from '../../../src/edge/decide/checks.ts'
import { nobody } from '../../../src/identity/identify.ts'
import { Judge } from '../../../src/identity/judge.ts'
import { SeenPeople } from '../../../src/identity/seen_person.ts'
import { createLog } from '../../../src/log/log.ts'
import { checkNames } from '../../../src/routes/route_test.ts'
import { placeOf } from '../../../src/routes/route_place.ts'
import type { Route } from '../../../src/routes/route.ts'
import { HostRoutes, type RoutePlan } from '../../../src/routes/route_table.ts'
import { openDatabase } from '../../../src/storage/open_database.ts'
import { Users } from '../../../src/users/users.ts'
import { Home } from '../../../src/contract/home.ts'
import type { EdgeRequest } from '../../../src/wire/request.ts'
import { onSqliteFirst } from '../../support/databases.ts'
import { noReactions } from '../../support/reactions.ts'

test('the checks run once each, in the order that the route test publishes', () => {
  const before = ['request', 'host', 'own_path']
  assert.deepEqual([...before, ...checks.map(({ name }) => name)], checkNames)
})

onSqliteFirst('the check of the account', (newUrl) => {
  test('refuses a user who was removed after being identified', async () => {
    const database = await openDatabase(newUrl(), createLog('silent'))
    try {
      const caller = operator({ via: 'socket' })
      const users = new Users(database, async () => 1, noReactions)
      const { id, username, email, email_verified_at, context } = await users.add({ username: 'ada' }, caller)
      const known = { user_id: id, username, email, email_verified_at, context }
      const identified = {
        ...nobody,
        principal: { ...known, proof: { by: 'session', id: 'a session' } as const, method: 'local' as const },
      }
      const route = {
        auth_mode: 'local',
        service: null,
        required_claims: [],
        allowed_emails: [],
      } as unknown as Route
      const plan = { route, place: placeOf(route), siblings: new HostRoutes() } as RoutePlan
      const people = new SeenPeople(new Claims(database, async () => ({ factor: false, age: 86_400 })))
      const asked = { host: 'app.localhost', target: '/' } as EdgeRequest
      const parts = { people, judge: new Judge(people), home: new Home('http://localhost') } as CheckParts
      const { refuse } = checks.find(({ name }) => name === 'account')!
      const question = () => new Question(asked, plan, { provenKey: undefined }, identified, false)
      assert.equal(await refuse(question(), parts), undefined)
      await users.remove('ada', caller)
      assert.equal((await refuse(question(), parts))?.act, 'sign in')
    } finally {
      await database.close()
    }
  })
})
