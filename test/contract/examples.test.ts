import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { HeroProxy } from '../../sdk/index.ts'
import type { MethodName } from '../../sdk/methods.ts'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { AskTokens } from '../../src/asking/ask_tokens.ts'
import { exampleRequest } from '../../src/asking/methods.ts'
import { exampleRoute } from '../../src/routes/methods.ts'
import { PendingLinks } from '../../src/federation/pending_links.ts'
import { exampleTokens } from '../../src/auth/email_methods.ts'
import { exampleElsewhere } from '../../src/auth/elsewhere/elsewhere_methods.ts'
import { digest } from '../../src/secrets/digest.ts'
import { newId, now } from '../../src/storage/ids.ts'
import { Seal } from '../../src/secrets/seal.ts'
import { goodPassword, startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { Authenticator } from '../support/authenticator.ts'
import { codeOf, enrol } from '../support/factors.ts'
import { byHand } from '../support/people.ts'
import { refused } from '../support/refused.ts'
import { openrpc, paramsOf, type DocumentedMethod } from '../support/openrpc.ts'
import { seed, startCopy } from './seed.ts'

/** Members that differ between machines or runs. */
const masked = new Set([
  'created_at',
  'proven_at',
  'updated_at',
  'email_verified_at',
  'expires_at',
  'at',
  'until',
  'seq',
  'rows',
  'signs_since',
  'retired_at',
  'removes_at',
  'decided_at',
  'added_at',
  'x',
  'n',
  'client_secret',
  'initial_access_token',
  'access_token',
  'refresh_token',
  'last_used_at',
  'challenge',
  'recovery_codes',
  'secret',
  'uri',
  'address',
  'uid',
  'pid',
  'uptime_seconds',
  'memory_bytes',
  'node',
  'detail',
  'text',
  'rpc_calls',
  'edge_requests',
  'picture',
  'link',
  'qr',
  'works',
  'asked_at',
])
const id = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

const mask = (value: unknown, key = ''): unknown => {
  if (masked.has(key)) return value === null ? null : typeof value
  if (typeof value === 'string')
    return id.test(value) || id.test(Buffer.from(value, 'base64url').toString()) ? 'id' : value
  if (Array.isArray(value)) return value.map((item) => mask(item))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, mask(part, key)]))
}

let seeded: TestDaemon
before(async () => {
  seeded = await startTestDaemon()
  await seed(seeded)
  // The example of `health` shows a finished check.
  while ((await seeded.hero.health()).database === 'checking') await delay(5)
})
after(() => seeded.close())

/** Returns the daemon for an example: a copy if it writes, and an empty one for the setup. */
const stageOf = async (method: DocumentedMethod): Promise<TestDaemon> => {
  if (method.name === 'auth.setup') return startTestDaemon()
  if (method['x-effect'] !== 'write' && !needsSession.has(method.name)) return seeded
  return startCopy(seeded)
}

const open = [['registration_mode', 'open']] as const
const links = [['magic_links', true]] as const
const anywhere = [['elsewhere', 'anywhere']] as const
/** Settings that an example needs. */
const settingsOf: Partial<Record<string, readonly (readonly [string, string | boolean])[]>> = {
  'auth.register': open,
  'invitations.add': [...open, ['smtp_host', 'mail.invalid']],
  'invitations.resend': open,
  'auth.close_account': [['self_delete', true]],
  'auth.request_magic_link': links,
  'auth.login_by_link': links,
  'auth.login_by_mailed_code': links,
  'auth.request_mailed_code': [['smtp_host', 'localhost']],
  'auth.begin_elsewhere': anywhere,
  'auth.open_elsewhere': anywhere,
  'auth.approve_elsewhere': anywhere,
  'auth.login_elsewhere': anywhere,
}

const needsSession = new Set([
  'sessions.trusted.list',
  'sessions.trusted.revoke',
  'auth.request_mailed_code',
  'auth.prove',
  'auth.use_enrolment_link',
  'factors.add_totp',
  'factors.confirm_totp',
  'factors.remove_totp',
  'factors.passkey_options',
  'factors.add_passkey',
  'factors.rename_passkey',
  'factors.remove_passkey',
  'factors.renew_recovery_codes',
  'auth.logout',
  'requests.add',
  'requests.withdraw',
  'auth.export',
  'auth.open_elsewhere',
  'auth.approve_elsewhere',
  'auth.close_account',
  'auth.impersonate',
  'auth.stop_impersonating',
  'auth.change_email',
  'users.identities.link',
  'auth.upstream_token',
])

/** Returns the caller of an example: the operator, or ada if the method needs a session. */
const callerOf = async ({ hero }: TestDaemon, { name }: DocumentedMethod): Promise<HeroProxy> => {
  if (!needsSession.has(name)) return hero
  const ada = hero.as((await hero.auth.login({ login: 'ada', password: goodPassword })).access_token)
  if (name === 'auth.stop_impersonating') await ada.auth.impersonate({ user: 'grace' })
  return ada
}

/** Parameters that cannot be fixed in an example: current codes, authenticator responses and new tokens. */
const currentParams: Partial<Record<string, (stage: TestDaemon, caller: HeroProxy) => Promise<object>>> = {
  'auth.use_enrolment_link': async ({ hero }) => {
    const { link } = await hero.users.enrolment_link({ user: 'ada' })
    return { token: new URL(link).searchParams.get('token')! }
  },
  'auth.login_by_code': async ({ hero }) => {
    const { ada } = await signInAda(hero)
    const secret = await enrol(ada)
    const { data } = await refused(
      hero.auth.login({ login: 'ada', password: goodPassword }),
      'factor_required',
    )
    return { sign_in: data.sign_in, code: codeOf(secret, 1) }
  },
  'auth.login_by_passkey': async ({ hero, config }) => {
    const { ada } = await signInAda(hero)
    const key = new Authenticator(config.public_url)
    await ada.factors.add_passkey({
      name: 'Key',
      attestation: key.create(await ada.factors.passkey_options()),
    })
    return { assertion: key.get(await hero.auth.passkey_options()) }
  },
  // The last administrator cannot.
  'auth.close_account': async ({ hero }) => {
    await hero.users.update({ username: 'grace', is_admin: true })
    return {}
  },
  'requests.add': async ({ config, hero }) => {
    const rule = { required_claims: ['groups.interns'], ask_group: 'interns' }
    const { id } = await hero.proxy.routes.update({ id: exampleRoute.id, ...rule })
    const ada = await hero.users.get({ username: 'ada' })
    const token = new AskTokens(sealOf(config)).issue(ada.id, `route ${id}`)
    return { token, reason: 'I write the manual' }
  },
  'requests.withdraw': async ({ config, hero }) => {
    const { id } = await hero.users.get({ username: 'ada' })
    await byHand({ config }, ({ query }) =>
      query.updateTable('access_requests').set({ user_id: id }).execute(),
    )
    return { request: exampleRequest.id }
  },
  'auth.reopen_account': async ({ config }) => {
    await byHand({ config }, async (database) => {
      const { id } = await database.query
        .updateTable('users')
        .set({ is_active: 0, updated_at: 1795435200 })
        .where('username', '=', 'grace')
        .returning('id')
        .executeTakeFirstOrThrow()
      const times = { closed_at: 1795435200, removes_at: 4_000_000_000 }
      await database.query
        .insertInto('closed_accounts')
        .values({ user_id: id, ...times })
        .execute()
    })
    return { token: exampleTokens.reopen }
  },
  'auth.look_elsewhere': async (stage) => ({
    browser_secret: (await waitElsewhere(stage, {})).browser_secret,
  }),
  'auth.open_elsewhere': async (stage) => ({ code: (await waitElsewhere(stage, {})).code }),
  'auth.approve_elsewhere': async (stage) => {
    const { code } = await waitElsewhere(stage, { state: 'opened', ...(await phoneOfAda(stage)) })
    return { code, digits: '47' }
  },
  'auth.login_elsewhere': async (stage) => {
    const { browser_secret } = await waitElsewhere(stage, { state: 'approved', ...(await phoneOfAda(stage)) })
    return { browser_secret }
  },
  'sessions.trusted.list': async (stage) => (await trustBrowser(stage), {}),
  'sessions.trusted.revoke': async (stage) => ({ id: await trustBrowser(stage) }),
  'token.revoke': async ({ hero }) => ({ id: (await hero.token.create({ user: 'ada', name: 'x' })).id }),
  'auth.refresh': async ({ hero }) => ({ refresh_token: (await signInAda(hero)).refresh_token }),
  'users.identities.link': async ({ config, hero }) => {
    const forge = await hero.providers.get({ provider: 'forge' })
    const email = 'ada@example.org'
    const profile = { subject: '1815', login: 'ada', name: '', email, email_doubtful: false, avatar_url: '' }
    const link = await byHand({ config }, (database) =>
      new PendingLinks(database, sealOf(config)).add({
        provider_id: forge.id,
        next: '/auth/security',
        profile: { ...profile, groups: [] },
        tokens: { access_token: 'x', refresh_token: null, expires_at: null },
      }),
    )
    return { link }
  },
  'auth.upstream_token': async ({ config, hero }) => {
    await hero.providers.update({ provider: 'forge', keep_tokens: true })
    const { id } = await hero.users.identities.add({ user: 'ada', provider: 'forge', subject: '1815' })
    const kept = { access_token: 'gto_Zm9yZ2U', refresh_token: null }
    await byHand({ config }, (database) =>
      database.query
        .insertInto('provider_tokens')
        .values({
          identity_id: id,
          sealed: sealOf(config).seal(JSON.stringify(kept), `provider_tokens.${id}`),
          expires_at: null,
          leased_until: 0,
        })
        .execute(),
    )
    return { provider: 'forge' }
  },
  'providers.test': async ({ hero }) => {
    const issuer = 'https://nowhere.invalid'
    await hero.providers.add({ provider: 'nowhere', preset: 'oidc', issuer, client: 'hero' })
    return { provider: 'nowhere' }
  },
  'factors.confirm_totp': async (_, ada) => ({ code: codeOf((await ada.factors.add_totp()).secret) }),
  'factors.remove_totp': async (_, ada) => (await enrol(ada), {}),
  'factors.renew_recovery_codes': async (_, ada) => (await enrol(ada), {}),
  'factors.add_passkey': async ({ config }, ada) => {
    const options = await ada.factors.passkey_options()
    return { name: 'Laptop', attestation: new Authenticator(config.public_url).create(options) }
  },
  'factors.rename_passkey': async (stage, ada) => ({ id: await addPasskey(stage, ada), name: 'Work laptop' }),
  'factors.remove_passkey': async (stage, ada) => ({ id: await addPasskey(stage, ada) }),
}
const signInAda = async (hero: HeroProxy) => {
  const signedIn = await hero.auth.login({ login: 'ada', password: goodPassword })
  return { ...signedIn, ada: hero.as(signedIn.access_token) }
}
const sealOf = ({ data_dir }: TestDaemon['config']) =>
  new Seal(readFileSync(join(data_dir, 'master.key'), 'utf8').trim())
const addPasskey = async ({ config }: TestDaemon, ada: HeroProxy) => {
  const attestation = new Authenticator(config.public_url).create(await ada.factors.passkey_options())
  return (await ada.factors.add_passkey({ name: 'Key', attestation })).id
}

/** A browser that waits for a phone. */
const waitElsewhere = async ({ config }: TestDaemon, more: object) => {
  const { browser_secret, code } = exampleElsewhere
  const row = {
    browser_hash: digest(`elsewhere ${browser_secret}`),
    code_hash: digest(code),
    digits: '47',
    address: '192.0.2.7',
    network: '192.0.2.7',
    user_agent: 'Mozilla/5.0',
    state: 'waiting' as const,
    reason: '' as const,
    user_id: null,
    session_id: null,
    expires_at: now() + 300,
    ...more,
  }
  await byHand({ config }, async ({ query }) => {
    await query.deleteFrom('elsewhere_requests').execute()
    await query.insertInto('elsewhere_requests').values(row).execute()
  })
  return { browser_secret, code }
}
/** The last sign-in of ada. */
const phoneOfAda = async ({ hero }: TestDaemon) => {
  const { id: user_id } = await hero.users.get({ username: 'ada' })
  if ((await hero.sessions.list({ user: 'ada' })).items.length === 0) await signInAda(hero)
  const [session] = (await hero.sessions.list({ user: 'ada' })).items
  return { user_id, session_id: session!.id }
}

const trustBrowser = async ({ config, hero }: TestDaemon): Promise<string> => {
  const { id: user_id } = await hero.users.get({ username: 'ada' })
  const id = newId()
  const times = { created_at: 1795435200, last_used_at: 1795435200, expires_at: 2 ** 31 }
  const about = { browser: id, address: '127.0.0.1', user_agent: 'Mozilla/5.0', ...times }
  await byHand({ config }, ({ query }) =>
    query
      .insertInto('trusted_browsers')
      .values({ id, user_id, ...about })
      .execute(),
  )
  return id
}

for (const method of openrpc.methods) {
  for (const example of method.examples) {
    test(`the example "${example.name}" is correct`, async () => {
      const stage = await stageOf(method)
      // A daemon that is left open would keep a test that fails from ending.
      try {
        await check(stage, method, example)
      } finally {
        if (stage !== seeded) await stage.close()
      }
    })
  }
}

/** Calls a method as its example says, and compares the result and the audit. */
const check = async (
  stage: TestDaemon,
  method: DocumentedMethod,
  example: DocumentedMethod['examples'][number],
): Promise<void> => {
  for (const [key, value] of settingsOf[method.name] ?? []) await stage.hero.settings.set({ key, value })
  const caller = await callerOf(stage, method)
  const made = await currentParams[method.name]?.(stage, caller)
  const auditLines = async () => (await stage.hero.audit.list({ limit: 1000 })).items
  const before = await auditLines()
  const result = await caller.call(method.name as MethodName, (made ?? paramsOf(example)) as never)
  if (method.name === 'rpc.discover') assert.equal((result as { openrpc: string }).openrpc, '1.3.2')
  else if (method.name === 'auth.export')
    assert.equal((result as { account: { username: string } }).account.username, 'ada')
  else assert.deepEqual(mask(result), mask(example.result.value))

  const fresh = (await auditLines()).filter(({ id }) => !before.some((entry) => entry.id === id))
  if (method['x-effect'] === 'read') return assert.deepEqual(fresh, [])
  assert.equal(fresh.length, 1)
  const [entry] = fresh
  assert.equal(entry!.method, method.name)
  assert.equal(entry!.outcome, 'ok')
  assert.equal(entry!.actor, needsSession.has(method.name) ? 'ada' : 'system')
}
