import { refuseByAnotherDevice, refuseWhileImpersonating } from '../contract/caller.ts'
import { AppError, conflict } from '../contract/errors.ts'
import { method } from '../contract/method.ts'
import { ProviderName } from '../providers/provider.ts'
import { Nullable, Shape, Time } from '../contract/schemas.ts'
import { Type } from '../contract/schema_builder.ts'
import { exampleIdentity, UserIdentity } from '../users/credential_methods.ts'
import type { ProviderTokens } from './provider_tokens.ts'
import type { Linking } from './linking.ts'

interface Parts {
  readonly linking: Linking
  readonly tokens: ProviderTokens
}

export const exampleLink = 'pX4VfC1mDqCqkq6q1Q0eLx0y1t8S3Jp0gqf1c1mB9hc'

export const federationMethods = ({ linking, tokens }: Parts) => [
  method({
    name: 'users.identities.link',
    summary: 'Link the identity that a provider has just confirmed to your account',
    description:
      'The browser keeps `link` for ten minutes after it returns from the provider. You can only link an identity with the same email address that you have confirmed here.',
    effect: 'write',
    claim: 'self',
    fresh: true,
    params: Shape({
      link: Type.String({ minLength: 1, maxLength: 100, description: 'From the callback of the provider' }),
    }),
    result: UserIdentity,
    errors: ['not_found', 'conflict', 'already_exists'],
    target: (_, result) => (result ? `user=${result.user} provider=${result.provider}` : ''),
    examples: [
      {
        params: { link: exampleLink },
        result: { ...exampleIdentity, user: 'ada', subject: '1815', login: 'ada', last_used_at: 1795435200 },
      },
    ],
    handler: ({ link }, caller) => linking.confirm(link, caller),
  }),
  method({
    name: 'auth.upstream_token',
    summary: 'Return the access token that a provider issued for you, renewed if necessary',
    description:
      'It needs a provider with keep_tokens. You get your own token only: operators, administrators, impersonators, pages of services, sign-ins that another device opened and callers with a personal access token or a JWT are refused.',
    effect: 'write',
    claim: 'self',
    params: Shape({ provider: ProviderName }),
    result: Shape({
      access_token: Type.String(),
      token_type: Type.Literal('Bearer'),
      expires_at: Nullable(Time),
    }),
    errors: ['not_found', 'conflict', 'unavailable'],
    target: ({ provider }) => `provider=${provider}`,
    examples: [
      {
        params: { provider: 'forge' },
        result: { access_token: 'gto_Zm9yZ2U', token_type: 'Bearer', expires_at: null },
      },
    ],
    prepare: async ({ provider }, caller) => {
      refuseWhileImpersonating(caller)
      refuseByAnotherDevice(caller)
      if (caller.user_id === undefined) throw conflict('Only a signed-in user has tokens from a provider')
      if (caller.token)
        throw new AppError('proof_required', 'This needs a sign-in: a token gives no access to a provider')
      return tokens.current(caller.user_id, provider)
    },
    handler: (_, caller, token) => {
      refuseByAnotherDevice(caller)
      return { ...token, token_type: 'Bearer' as const }
    },
  }),
]
