import { refuseByAnotherDevice, refuseWhileImpersonating, type Caller } from '../../contract/caller.ts'
import { conflict } from '../../contract/errors.ts'
import { method } from '../../contract/method.ts'
import { Type } from '../../contract/schema_builder.ts'
import { Id, Named, Nothing, Shape, Time } from '../../contract/schemas.ts'
import type { TrustedBrowsers } from './trusted_browsers.ts'

const TrustedBrowser = Named('TrustedBrowser', {
  id: Id,
  address: Type.String({ description: 'Where the person was when they trusted it' }),
  user_agent: Type.String(),
  created_at: Time,
  last_used_at: Time,
  expires_at: Time,
  current: Type.Boolean({ description: 'Whether this browser makes the call; pages of home know it' }),
})

const example = {
  id: '01932d1c-7a5e-7c41-9f3a-5f1d2c3b4a35',
  address: '127.0.0.1',
  user_agent: 'Mozilla/5.0',
  created_at: 1795435200,
  last_used_at: 1795435200,
  expires_at: 1798027200,
  current: false,
}

const personOf = (caller: Caller): string => {
  if (caller.user_id === undefined) throw conflict('Only a signed-in person trusts browsers')
  return caller.user_id
}

/** The browsers in which a person gives no second factor when they sign in. */
export const trustedMethods = (browsers: TrustedBrowsers) => [
  method({
    name: 'sessions.trusted.list',
    summary: 'List the browsers in which you give no second factor when you sign in, newest first',
    description:
      'Trust in a browser skips the second factor at sign-in and nothing else: such a session has proved one factor. At most ten.',
    effect: 'read',
    claim: 'self',
    params: Nothing,
    result: Shape({ items: Type.Array(TrustedBrowser) }),
    errors: ['conflict'],
    examples: [{ params: {}, result: { items: [example] } }],
    handler: async (_, caller) => ({ items: await browsers.list(personOf(caller), caller.trusted) }),
  }),
  method({
    name: 'sessions.trusted.revoke',
    summary: 'Stop trusting a browser: it asks for the second factor again',
    effect: 'write',
    claim: 'self',
    params: Shape({ id: Id }),
    result: Type.Null(),
    errors: ['conflict', 'not_found'],
    examples: [{ params: { id: example.id }, result: null }],
    target: ({ id }) => `id=${id}`,
    handler: async ({ id }, caller) => {
      refuseWhileImpersonating(caller)
      refuseByAnotherDevice(caller)
      await browsers.revoke(personOf(caller), id)
      return null
    },
  }),
]
