import { Type } from '../contract/schema_builder.ts'
import { Claim, Context, Email, Named, Nullable, Username } from '../contract/schemas.ts'

/** The caller, as `auth.me` returns it. */
export const Me = Named('Me', {
  kind: Type.Enum(['operator', 'service', 'client', 'user'], {
    description:
      'operator: the local owner of the daemon, who has every claim; service: a local service; client: a program with a token of its own',
  }),
  user: Nullable(Type.String({ description: 'Username, name of the service, or client_id' })),
  display_name: Nullable(Type.String()),
  email: Nullable(Email),
  context: Nullable(Context),
  claims: Type.Array(Claim),
  impersonating: Nullable(Username),
  provider: Nullable(
    Type.String({
      description:
        'How the user was identified: password, setup, magic_link, the name of a provider, or network if only the address identifies them',
    }),
  ),
})
