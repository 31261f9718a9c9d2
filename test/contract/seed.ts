import { hash } from 'node:crypto'
import { cpSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql, type SqlBool } from 'kysely'
import { exampleRequest } from '../../src/asking/methods.ts'
import { browserHash, codeHash } from '../../src/auth/mailed_code.ts'
import { exampleCode } from '../../src/auth/code_methods.ts'
import { exampleInvitation } from '../../src/auth/sign_up/invitation_methods.ts'
import { exampleTokens } from '../../src/auth/email_methods.ts'
import { examplePicture } from '../../src/pictures/methods.ts'
import { exampleRoute } from '../../src/routes/methods.ts'
import type { AccessRequestRow } from '../../src/storage/schema.ts'
import { goodPassword, startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { byHand } from '../support/people.ts'

/** Adds the users, groups, roles, routes and sessions that the documented examples mention, with the same ids. */
export const seed = async (daemon: TestDaemon): Promise<void> => {
  const { hero } = daemon
  await hero.users.add({
    username: 'ada',
    email: 'ada@example.org',
    display_name: 'Ada Lovelace',
    password: goodPassword,
    is_admin: true,
  })
  await hero.users.add({
    username: 'grace',
    email: 'grace@example.org',
    display_name: 'Grace Hopper',
    external_id: 'hr-1906',
  })
  await hero.users.add({ username: 'linus' })
  await hero.groups.add({ slug: 'engineers', name: 'Engineers' })
  await hero.groups.add({ slug: 'interns', name: 'Interns' })
  await hero.groups.add_member({ group: 'engineers', member_group: 'interns' })
  await hero.groups.add_member({ group: 'engineers', user: 'ada' })
  await hero.groups.add_member({ group: 'interns', user: 'linus' })
  await hero.groups.add_claim({ group: 'engineers', claim: 'engineers.tickets.read' })
  await hero.roles.add({ name: 'writer', description: 'Writes the wiki' })
  await hero.roles.add_claim({ role: 'writer', claim: 'wiki.pages.write' })
  await hero.groups.add_role({ group: 'engineers', role: 'writer' })
  await hero.proxy.routes.add({
    domain: 'wiki.localhost',
    target: 'http://127.0.0.1:3000',
    auth_mode: 'local',
    service: 'wiki',
    title: 'Wiki',
    icon: 'book',
  })
  await hero.groups.add_admin({ group: 'interns', user: 'grace' })
  await hero.services.add({ service: 'wiki', unix_user: 'www-data', claims: ['proxy.users.read'] })
  await hero.attributes.add({
    name: 'quota',
    type: 'text',
    source: 'administrator',
    pattern: '[0-9]{1,4} [MG]B',
    scope: 'profile',
  })
  await hero.icons.add({ picture: examplePicture })
  await hero.users.networks.add({ user: 'grace', network: '192.168.7.0/24', description: 'At home' })
  const pubkey = '0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798'
  await hero.users.keys.add({ user: 'grace', pubkey, description: 'Laptop' })
  await hero.providers.add({
    provider: 'forge',
    preset: 'forge',
    issuer: 'https://forge.example.org',
    client: '7f1c0f0e-1f0b-4f6d-8a55-0c8c5b1f2a11',
    client_secret: 'gto_h4gFfUq5bXhZ0mQ1',
  })
  await hero.users.identities.add({ user: 'grace', provider: 'forge', subject: '1906' })
  await hero.clients.add({
    required_claims: ['groups.engineers'],
    client: 'wiki',
    name: 'The wiki',
    redirect_uris: ['https://wiki.example.org/callback'],
    start_url: 'https://wiki.example.org/',
    ask_group: 'engineers',
    first_party: true,
  })
  await hero.clients.registration_tokens.add({ name: 'The editor on my laptop' })
  await hero.keys.jwks()
  await hero.token.create({ user: 'ada', name: 'Backup script' })
  await hero.auth.login({ login: 'ada', password: goodPassword })
  // The audit shows these two calls in an example; the second undoes the first, so that it can happen again.
  await hero.groups.add_member({ group: 'engineers', user: 'grace' })
  await hero.groups.remove_member({ group: 'engineers', user: 'grace' })
  await byHand(daemon, async (database) => {
    const { query } = database
    const browser = { kind: 'cookie', address: '127.0.0.1', user_agent: 'Mozilla/5.0' } as const
    await query.deleteFrom('refresh_tokens').execute()
    await query
      .updateTable('sessions')
      .set({ id: '01932d1c-7a5e-7c41-9f3a-5f1d2c3b4a31', ...browser })
      .execute()
    await query.updateTable('routes').set({ id: exampleRoute.id }).execute()
    const example = { id: '01932d1c-7a5e-7c41-9f3a-5f1d2c3b4a91', created_at: 1795435200 }
    await query.updateTable('registration_tokens').set(example).execute()
    await query.updateTable('client_secrets').set({ created_at: 1795435200 }).execute()
    const ada = await query
      .selectFrom('users')
      .select('id')
      .where('username', '=', 'ada')
      .executeTakeFirstOrThrow()
    const [kay, times] = ['01932d1c-7a5e-7c41-9f3a-5f1d2c3b4a04', { created_at: 1795435200 }]
    await query
      .insertInto('users')
      .values({
        id: kay,
        username: 'kay',
        display_name: 'Kay McNulty',
        email: 'kay@example.org',
        email_verified_at: 1795435200,
        external_id: null,
        is_active: 1,
        is_admin: 0,
        has_factor: 0,
        context: 1,
        ends_at: null,
        awaits_approval: 1,
        ...times,
        updated_at: 1795435200,
      })
      .execute()
    await query
      .insertInto('invitations')
      .values({
        id: exampleInvitation,
        token_hash: 'none',
        email: '',
        ends_at: null,
        uses: 20,
        approve: 1,
        made_by: null,
        made_by_kind: 'operator',
        made_by_name: 'system',
        ...times,
        expires_at: 4_000_000_000,
      })
      .execute()
    const engineers = await query.selectFrom('groups').select('id').where('slug', '=', 'engineers').execute()
    await query
      .insertInto('invitation_groups')
      .values({ invitation_id: exampleInvitation, group_id: engineers[0]!.id })
      .execute()
    await query
      .insertInto('registrations')
      .values({ user_id: kay, invitation_id: exampleInvitation, asked_at: 1795435200 })
      .execute()
    await query
      .insertInto('consents')
      .values({ user_id: ada.id, client: 'wiki', scopes: '["openid","email"]', created_at: 1795435200 })
      .execute()
    for (const [i, table] of (['user_networks', 'user_keys', 'user_identities'] as const).entries()) {
      await query
        .updateTable(table)
        .set({ id: `01932d1c-7a5e-7c41-9f3a-5f1d2c3b4a6${i + 1}` })
        .execute()
    }
    const idOf = async (table: 'users' | 'groups', column: 'username' | 'slug', name: string) =>
      (
        await query
          .selectFrom(table)
          .select('id')
          .where(sql<SqlBool>`${sql.ref(column)} = ${name}`)
          .executeTakeFirstOrThrow()
      ).id
    await query
      .insertInto('access_requests')
      .values({
        id: exampleRequest.id,
        user_id: await idOf('users', 'username', 'grace'),
        group_id: await idOf('groups', 'slug', 'engineers'),
        place: 'client wiki',
        reason: exampleRequest.reason,
        state: 'open',
        created_at: 1795435200,
        expires_at: 4_000_000_000,
        decided_at: null,
        ends_at: null,
        told: 1,
        answer: '',
      } satisfies AccessRequestRow)
      .execute()
    const revoked = {
      session_id: '01932d1c-7a5e-7c41-9f3a-5f1d2c3b4a32',
      token_id: '',
      client: '',
      user_id: '',
      username: 'ada',
    }
    await query
      .insertInto('revocations')
      .values({ seq: 1, ...revoked, reason: 'logout', at: 1795435300 })
      .execute()
    for (const [purpose, token] of Object.entries(exampleTokens)) {
      const user = await query
        .selectFrom('users')
        .select(['id', 'email'])
        .where('username', '=', ['verify', 'not_me', 'reopen'].includes(purpose) ? 'grace' : 'ada')
        .executeTakeFirstOrThrow()
      const at = Math.floor(Date.now() / 1000)
      await query
        .insertInto('one_time_tokens')
        .values({
          token_hash: hash('sha256', token, 'hex'),
          purpose,
          user_id: user.id,
          address: user.email!,
          created_at: at,
          expires_at: at + 3600,
          ...(purpose === 'magic' && {
            code_hash: codeHash(exampleCode),
            code_browser: browserHash(exampleCode.browser_secret),
            code_until: at + 600,
          }),
        })
        .execute()
    }
    for (const subject of ['sessions', 'routes'] as const) database.changed(subject)
  })
}

/** Starts another daemon on a copy of this one's data. This one must be idle during the copy. */
export const startCopy = ({ config }: TestDaemon) => {
  const dir = mkdtempSync(join(tmpdir(), 'hp-'))
  // The shared memory of SQLite belongs to its processes; the copy creates its own.
  const filter = (path: string) => !path.endsWith('-shm')
  cpSync(config.data_dir, join(dir, 'data'), { recursive: true, filter })
  return startTestDaemon({}, dir)
}
