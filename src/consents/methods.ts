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

/** A client that is known by its metadata document alone is called by its address. */
const ClientId = Type.String({
  maxLength: 500,
  pattern: `${clientPattern.source}|^https://[!-~]+$`,
  description: 'A client_id of ours, or an https address',
})

const user = Type.Optional(Username)

/** The user of this id or name; throws not_found. */
type UserOf = (lookup: { id: string } | { username: string }) => Promise<{ readonly id: string }>

export const consentMethods = (consents: Consents, userOf: UserOf) => {
  const idOf = async (named: string | undefined, own: string | undefined) => {
    if (named === undefined && own === undefined)
      throw invalidParams('user', 'a username; only a signed-in person can leave it out')
    return (await userOf(named === undefined ? { id: own! } : { username: named })).id
  }
  return [
    method({
      name: 'consents.list',
      summary: 'List the applications that a person allowed, and what each may do',
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
      summary: 'Withdraw what an application was allowed; all tokens that came of it stop working',
      effect: 'write',
      claim: ['proxy.users.write', 'users.{user?}'],
      params: Shape({ client: ClientId, user }),
      result: Type.Null(),
      errors: ['not_found'],
      examples: [{ params: { client: 'wiki', user: 'ada' }, result: null }],
      handler: async ({ client, user }, caller) => {
        await consents.revoke(await idOf(user, caller.user_id), client)
        return null
      },
    }),
  ]
}
