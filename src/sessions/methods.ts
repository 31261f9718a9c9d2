import { Type } from '../contract/schema_builder.ts'
import { refuseByAnotherDevice, type Caller } from '../contract/caller.ts'
import { AppError, invalidParams } from '../contract/errors.ts'
import { method } from '../contract/method.ts'
import { Cursor, Id, Limit, Page, Shape, Time, Username } from '../contract/schemas.ts'
import { Revocation, Session } from './session.ts'
import type { Revocations } from './revocations.ts'
import type { Sessions } from './sessions.ts'

/** What this folder needs from user accounts: throws unless the caller may act on this account. */
interface Accounts {
  guard(username: string, caller: Caller): Promise<{ id: string; username: string }>
}

const example: Session = {
  id: '01932d1c-7a5e-7c41-9f3a-5f1d2c3b4a31',
  user: 'ada',
  kind: 'cookie',
  provider: 'password',
  address: '127.0.0.1',
  user_agent: 'Mozilla/5.0',
  factor: '',
  proven_at: 1795435200,
  second_at: 0,
  passkey_at: 0,
  created_at: 1795435200,
  last_used_at: 1795435200,
  expires_at: 1795521600,
  current: false,
  remembered: false,
  by_another_device: false,
  hosts: [],
}

const revocation: Revocation = {
  seq: 1,
  session_id: '01932d1c-7a5e-7c41-9f3a-5f1d2c3b4a32',
  token_id: null,
  client: null,
  user: 'ada',
  reason: 'logout',
  at: 1795435300,
}

/** The user whose sessions a call is about: the named user, or the caller. */
const subject = (user: string | undefined, caller: Caller): string => {
  if (user !== undefined) return user
  if (caller.kind === 'user') return caller.name
  throw invalidParams('user', 'a username; only a signed-in user may omit it')
}

export const sessionMethods = (sessions: Sessions, accounts: Accounts, revocations: Revocations) => [
  method({
    name: 'sessions.list',
    summary: 'List the open sessions of a user, newest first; without a user, your own',
    effect: 'read',
    claim: ['proxy.users.read', 'users.{user?}'],
    params: Shape({ user: Type.Optional(Username), limit: Limit, cursor: Cursor }),
    result: Page(Session),
    examples: [{ params: { user: 'ada' }, result: { items: [example], next_cursor: null } }],
    handler: ({ user, ...page }, caller) =>
      sessions.list({ user: subject(user, caller), ...page }, caller.session_id),
  }),
  method({
    name: 'sessions.revoke',
    summary: 'End one session: your own, or with proxy.users.write that of any user',
    description:
      'A sign-in ends with its sessions at all hosts. The id that a service knows (`sid` of its assertion) is that of the session at its host, which ends alone. A sign-in that another device opened ends only itself.',
    effect: 'write',
    claim: 'self',
    params: Shape({ id: Id }),
    result: Type.Null(),
    errors: ['not_found', 'conflict'],
    examples: [{ params: { id: example.id }, result: null }],
    // After the call, nothing shows whose session it was.
    prepare: ({ id }, caller) => {
      if (id !== caller.session_id) refuseByAnotherDevice(caller)
      return sessions.owner(id)
    },
    target: ({ id }, _, owner) => `${owner ? `user=${owner.username} ` : ''}id=${id}`,
    handler: async ({ id }, caller, owner) => {
      if (owner.id !== caller.user_id) {
        if (caller.kind !== 'operator' && !caller.claims.has('proxy.users.write')) {
          // Give the same answer as for a session that does not exist, so that ids of other users' sessions stay
          // hidden.
          throw new AppError('not_found', `There is no session ${JSON.stringify(id)}`, { noun: 'session' })
        }
        await accounts.guard(owner.username, caller)
      }
      await sessions.revoke(id, 'revoked')
      return null
    },
  }),
  method({
    name: 'sessions.revoke_all',
    summary: 'End all sessions of a user; without a user, your own except this one',
    effect: 'write',
    claim: ['proxy.users.write', 'users.{user?}'],
    params: Shape({ user: Type.Optional(Username) }),
    result: Shape({ revoked: Type.Integer() }),
    errors: ['not_found', 'conflict'],
    examples: [{ params: { user: 'ada' }, result: { revoked: 1 } }],
    handler: async ({ user }, caller) => {
      refuseByAnotherDevice(caller)
      const { id } = await accounts.guard(subject(user, caller), caller)
      const kept = id === caller.user_id ? caller.session_id : undefined
      return { revoked: await sessions.revokeAll(id, 'revoked', kept) }
    },
  }),
  method({
    name: 'sessions.revocations',
    summary: 'Return the sessions and tokens that were revoked; can wait for the next one',
    description:
      'For services that keep something open or cached for a session. Without `after`, it returns the current cursor, or with `since` what was revoked since then. Revocations are kept for a day: an older cursor gets the error `conflict`, with a new cursor in `data.cursor`; then drop everything you have cached.',
    effect: 'read',
    claim: ['proxy.users.read'],
    params: Shape({
      after: Type.Optional(
        Type.Integer({
          minimum: 0,
          maximum: Number.MAX_SAFE_INTEGER,
          description: 'The cursor of the previous answer',
        }),
      ),
      since: Type.Optional(Time),
      wait: Type.Optional(
        Type.Integer({
          minimum: 0,
          maximum: 30,
          description: 'Seconds to wait for the first revocation if there is none; 0 by default',
        }),
      ),
    }),
    result: Shape({ items: Type.Array(Revocation), cursor: Type.Integer({ minimum: 0 }) }),
    errors: ['conflict', 'rate_limited'],
    examples: [
      { params: {}, result: { items: [], cursor: 1 } },
      {
        name: 'wait for what comes after a cursor',
        params: { after: 0, wait: 30 },
        result: { items: [revocation], cursor: 1 },
      },
    ],
    handler: ({ wait, ...from }, { gone }) => revocations.read(from, wait, gone),
  }),
]
