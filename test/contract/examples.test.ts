import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { HeroProxy } from '../../sdk/index.ts'
import type { MethodName } from '../../sdk/methods.ts'
import { goodPassword, startTestDaemon, type TestDaemon } from '../helpers/daemon.ts'
import { openrpc, paramsOf, type DocumentedMethod } from '../helpers/openrpc.ts'
import { seed, startCopy } from '../helpers/seed.ts'

/** What differs from machine to machine and from run to run. */
const masked = new Set([
  'created_at',
  'updated_at',
  'email_verified_at',
  'expires_at',
  'at',
  'until',
  'seq',
  'rows',
  'x',
  'access_token',
  'address',
  'uid',
  'pid',
  'uptime_seconds',
  'memory_bytes',
  'node',
  'rpc_calls',
  'edge_requests',
])
const id = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

const mask = (value: unknown, key = ''): unknown => {
  if (masked.has(key)) return value === null ? null : typeof value
  if (typeof value === 'string') return id.test(value) ? 'id' : value
  if (Array.isArray(value)) return value.map((item) => mask(item))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, mask(part, key)]))
}

let seeded: TestDaemon
before(async () => {
  seeded = await startTestDaemon()
  await seed(seeded)
})
after(() => seeded.close())

/** Where an example begins: a copy for each that writes; set-up needs an instance without anybody. */
const stageOf = async (method: DocumentedMethod): Promise<TestDaemon> => {
  if (method.name === 'auth.setup') return startTestDaemon()
  if (method['x-effect'] !== 'write') return seeded
  const copy = await startCopy(seeded)
  for (const [key, value] of offers[method.name] ?? []) await copy.hero.settings.set({ key, value })
  return copy
}

const open = [['registration_mode', 'open']] as const
const links = [['magic_links', true]] as const
/** What is not offered by default. */
const offers: Partial<Record<string, readonly (readonly [string, string | boolean])[]>> = {
  'auth.register': open,
  'users.invite': open,
  'auth.request_magic_link': links,
  'auth.login_by_link': links,
}

const takesASession = new Set([
  'auth.logout',
  'auth.impersonate',
  'auth.stop_impersonating',
  'auth.change_email',
])

/** Who speaks: the operator, as most examples do; what is about a session takes one. */
const speakerOf = async ({ hero }: TestDaemon, { name }: DocumentedMethod): Promise<HeroProxy> => {
  if (!takesASession.has(name)) return hero
  const ada = hero.as((await hero.auth.login({ login: 'ada', password: goodPassword })).access_token)
  if (name === 'auth.stop_impersonating') await ada.auth.impersonate({ user: 'grace' })
  return ada
}

for (const method of openrpc.methods) {
  for (const example of method.examples) {
    test(`the example "${example.name}" is true`, async () => {
      const stage = await stageOf(method)
      const speaker = await speakerOf(stage, method)
      const journal = async () => (await stage.hero.audit.list({ limit: 1000 })).items
      const before = await journal()
      const result = await speaker.call(method.name as MethodName, paramsOf(example) as never)
      if (method.name === 'rpc.discover') assert.equal((result as { openrpc: string }).openrpc, '1.3.2')
      else assert.deepEqual(mask(result), mask(example.result.value))

      const fresh = (await journal()).filter(({ id }) => !before.some((entry) => entry.id === id))
      if (method['x-effect'] === 'read') return assert.deepEqual(fresh, [])
      assert.equal(fresh.length, 1)
      const [entry] = fresh
      assert.equal(entry!.method, method.name)
      assert.equal(entry!.outcome, 'ok')
      assert.equal(entry!.actor, takesASession.has(method.name) ? 'ada' : 'system')
      await stage.close()
    })
  }
}
