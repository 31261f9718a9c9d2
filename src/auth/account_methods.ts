import { refuseWhileImpersonating, type Caller } from '../contract/caller.ts'
import { conflict } from '../contract/errors.ts'
import { method } from '../contract/method.ts'
import { Type } from '../contract/schema_builder.ts'
import { Nothing, Shape, Time, Username } from '../contract/schemas.ts'
import type { ClosedAccounts } from './closing.ts'
import { exampleTokens, LinkToken } from './email_methods.ts'
import type { PersonalData } from './personal_data.ts'

/** The person whose own account a call is about; never the one that an administrator acts as. */
const ownId = (caller: Caller): string => {
  refuseWhileImpersonating(caller)
  if (caller.user_id === undefined) throw conflict('Only a person has an account')
  return caller.user_id
}

const rule = { claim: 'self', fresh: true, params: Nothing, errors: ['conflict'] } as const

export const accountMethods = (
  data: Pick<PersonalData, 'of'>,
  closed: Pick<ClosedAccounts, 'close' | 'reopen'>,
) => [
  method({
    ...rule,
    name: 'auth.export',
    summary: 'Return what is held on you: no hashes, seeds or tokens, and no other person’s address',
    effect: 'write',
    result: Type.Unsafe<Record<string, unknown>>(
      Type.Object({}, { additionalProperties: true, description: 'One member for each kind of data' }),
    ),
    examples: [{ params: {}, result: { made_at: 1795435200 } }],
    handler: (_, caller) => data.of(ownId(caller)),
  }),
  method({
    ...rule,
    name: 'auth.close_account',
    summary:
      'Delete your account: off at once, and gone after delete_days unless a mailed link takes it back',
    description:
      'Applications are signed out. Entries of the audit stay until their retention, and the username is never given again. The setting self_delete allows it; the last administrator cannot.',
    effect: 'write',
    result: Shape({
      removes_at: Time,
      link_mailed: Type.Boolean({
        description: 'Whether a link was mailed that takes it back; otherwise only an administrator can',
      }),
    }),
    examples: [{ params: {}, result: { removes_at: 1796040000, link_mailed: true } }],
    handler: (_, caller) => closed.close(ownId(caller), caller),
  }),
  method({
    name: 'auth.reopen_account',
    summary: 'Take the deletion of an account back, with the link that was mailed; it signs nobody in',
    effect: 'write',
    claim: null,
    params: Shape({ token: LinkToken }),
    result: Shape({ user: Username }),
    errors: ['unauthenticated'],
    target: (_, result) => (result ? `user=${result.user}` : ''),
    examples: [{ params: { token: exampleTokens.reopen }, result: { user: 'grace' } }],
    handler: ({ token }) => closed.reopen(token),
  }),
]
