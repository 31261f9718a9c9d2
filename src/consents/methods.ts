import { refuseByAnotherDevice } from '../contract/caller.ts'
import { invalidParams } from '../contract/errors.ts'
import { method } from '../contract/method.ts'
import { clientPattern, Named, Shape, Time, Username } from '../contract/schemas.ts'
import { Type } from '../contract/schema_builder.ts'
import type { Consents } from './consents.ts'

const Consent = Named('Consent', {
  client: Type.String(),
  name: Type.String(),
  scopes: Type.Array(Type.String()),
  created_at: Time,
})

/** A client that is known only by its metadata document has its URL as client_id. */
const ClientId = Type.String({
  maxLength: 500,
  pattern: `${clientPattern.source}|^https://[!-~]+$`,
  description: 'A client_id that we assigned, or an https URL',
})

const user = Type.Optional(Username)

/** Returns the user with this id or name; throws not_found. */
type UserOf = (lookup: { id: string } | { username: string }) => Promise<{ readonly id: string }>

export const consentMethods = (consents: Consents, userOf: UserOf) => {
  const idOf = async (named: string | undefined, own: string | undefined) => {
    if (named === undefined && own === undefined)
      throw invalidParams('user', 'a username; only a signed-in user may omit it')
    return (await userOf(named === undefined ? { id: own! } : { username: named })).id
  }
  return [
    method({
      name: 'consents.list',
      summary: 'List the applications that a user has allowed, and what each may access',
      effect: 'read',
      claim: ['proxy.users.read', 'users.{user?}'],
      params: Shape({ user }),
      result: Shape({ items: Type.Array(Consent) }),
      errors: ['not_found'],
      examples: [
        {
          params: { user: 'ada' },
          result: {
            items: [
              { client: 'wiki', name: 'The wiki', scopes: ['openid', 'email'], created_at: 1795435200 },
            ],
          },
        },
      ],
      handler: async ({ user }, caller) => ({ items: await consents.list(await idOf(user, caller.user_id)) }),
    }),
    method({
      name: 'consents.revoke',
      summary:
        'Revoke what an application was allowed; all its tokens for that user stop working, also those of a first-party client',
      effect: 'write',
      claim: ['proxy.users.write', 'users.{user?}'],
      params: Shape({ client: ClientId, user }),
      result: Type.Null(),
      errors: ['not_found', 'conflict'],
      examples: [{ params: { client: 'wiki', user: 'ada' }, result: null }],
      handler: async ({ client, user }, caller) => {
        refuseByAnotherDevice(caller)
        await consents.revoke(await idOf(user, caller.user_id), client)
        return null
      },
    }),
  ]
}
