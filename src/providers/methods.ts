import { Type } from '../contract/schema_builder.ts'
import { method } from '../contract/method.ts'
import { Nothing, Nullable, Shape, ShownName, Username } from '../contract/schemas.ts'
import { checkProvider } from './provider_test.ts'
import {
  addresses,
  ClientKey,
  ClientSecret,
  PresetName,
  Provider,
  providerFields,
  ProviderName,
  Received,
  Step,
} from './provider.ts'
import { forge, secret } from './examples.ts'
import { presetNames, presetOf } from './presets.ts'
import { requireClaim } from './guards.ts'
import { explainReceived, type ReceivedClaims } from './received.ts'
import type { Providers } from './providers.ts'
import type { RelyingParty } from './relying_party.ts'

const read = { effect: 'read', claim: ['proxy.oauth.read'] } as const
const write = { effect: 'write', claim: ['proxy.oauth.write'], fresh: true } as const

type Optionals<T> = { [K in keyof T]: ReturnType<typeof Type.Optional<T[K] & object>> }
const optional = <T extends Record<string, object>>(fields: T) =>
  Object.fromEntries(
    Object.entries(fields).map(([key, schema]) => [key, Type.Optional(schema as never)]),
  ) as unknown as Optionals<T>

const { client, ...others } = providerFields
const named = Shape({ provider: ProviderName })

const Preset = Type.Object(
  {
    preset: PresetName,
    title: ShownName('Name for people'),
    kind: Type.Enum(['oidc', 'oauth2']),
    issuer: Nullable(Type.String()),
    scopes: Type.Array(Type.String()),
    needs: Type.Array(Type.String(), {
      description: 'Parameters that providers.add needs in addition to client',
    }),
    where: Type.String({
      description: 'Where to register our redirect URI and get the client_id and secret',
    }),
  },
  { additionalProperties: false },
)

const listedPresets = presetNames.map((preset) => {
  const { title, kind, issuer = null, scopes, needs, where } = presetOf(preset)
  return { preset, title, kind, issuer, scopes: [...scopes], needs: [...needs], where }
})

interface Parts {
  readonly providers: Providers
  readonly party: RelyingParty
  readonly mayBeLocal: () => Promise<boolean>
  /** Returns what a provider last said about a user. Throws not_found for an unknown user. */
  readonly receivedFor: (provider: string, username: string) => Promise<ReceivedClaims | undefined>
  /** Deletes the identities, sessions and memberships of a provider that is removed. */
  readonly forgetPeople: (provider: string) => Promise<void>
  /** Ends the memberships that a provider gave in all other groups. */
  readonly keepMembers: (provider: string, groups: readonly string[]) => Promise<void>
}

export const providerMethods = ({
  providers,
  party,
  mayBeLocal,
  receivedFor,
  forgetPeople,
  keepMembers,
}: Parts) => [
  method({
    ...read,
    name: 'providers.list',
    summary: 'List the identity providers that people sign in with, in the order in which they were added',
    params: Nothing,
    result: Shape({ items: Type.Array(Provider) }),
    aliases: ['oauth.list_providers'],
    examples: [{ params: {}, result: { items: [forge] } }],
    handler: () => providers.list(),
  }),
  method({
    ...read,
    name: 'providers.get',
    summary: 'Return one provider, without its secret',
    params: named,
    result: Provider,
    errors: ['not_found'],
    examples: [{ params: { provider: 'forge' }, result: forge }],
    handler: ({ provider }) => providers.get(provider),
  }),
  method({
    ...read,
    name: 'providers.presets',
    summary: 'List the presets for providers, and what each needs',
    params: Nothing,
    result: Shape({ items: Type.Array(Preset) }),
    examples: [{ params: {}, result: { items: listedPresets } }],
    handler: () => ({ items: listedPresets }),
  }),
  method({
    ...write,
    name: 'providers.add',
    summary: 'Let people sign in with an identity provider',
    description:
      'First register the redirect URI at the provider: `<public URL>/oauth/callback` for the first provider, `<public URL>/oauth/callback/<provider>` for all others; `redirect_uri` shows it. Then `providers.test` checks the provider. The location of a provider cannot be changed later, because its identities belong to it. `groups` also need the claim proxy.groups.write; a name under which a user already has an identity needs proxy.admin.',
    params: Shape({
      provider: ProviderName,
      preset: PresetName,
      client,
      client_secret: Type.Optional(ClientSecret),
      client_key: Type.Optional(ClientKey),
      ...optional(addresses),
      ...optional(others),
    }),
    result: Provider,
    errors: ['already_exists', 'not_found', 'conflict'],
    aliases: ['oauth.set_provider'],
    target: ({ provider, preset }) => `provider=${provider} preset=${preset}`,
    examples: [
      {
        params: {
          provider: 'codeberg',
          preset: 'forge',
          issuer: 'https://codeberg.org',
          client: 'e2c9a2c1-4a53-4b7c-9a3f-9f6f3b8f7d10',
          client_secret: secret,
          title: 'Codeberg',
          allow_signup: true,
          groups: [{ value: 'acme:owners', group: 'engineers' }],
        },
        result: {
          ...forge,
          provider: 'codeberg',
          own_callback: true,
          redirect_uri: 'http://localhost:9997/oauth/callback/codeberg',
          issuer: 'https://codeberg.org',
          client: 'e2c9a2c1-4a53-4b7c-9a3f-9f6f3b8f7d10',
          title: 'Codeberg',
          allow_signup: true,
          groups: [{ value: 'acme:owners', group: 'engineers' }],
        },
      },
    ],
    handler: (fields, caller) => providers.add(fields, caller),
  }),
  method({
    ...write,
    name: 'providers.update',
    summary: 'Change a provider; the change applies from the next sign-in on, sessions continue',
    description:
      'Additional `groups`, or another `groups_claim` for existing ones, also need the claim proxy.groups.write. People who are in a group only through this provider leave it when no entry maps to it any more.',
    large: true,
    params: Shape({
      provider: ProviderName,
      client: Type.Optional(client),
      client_secret: Type.Optional(Nullable(ClientSecret)),
      client_key: Type.Optional(Nullable(ClientKey)),
      ...optional(others),
    }),
    result: Provider,
    errors: ['not_found', 'conflict'],
    target: ({ provider }) => `provider=${provider}`,
    examples: [{ params: { provider: 'forge', enabled: false }, result: { ...forge, enabled: false } }],
    handler: async ({ provider, ...fields }, caller) => {
      const after = await providers.update(provider, fields, caller)
      // Apply the change now: a person who never signs in again would otherwise keep the membership.
      const given = after.groups_claim === null ? [] : after.groups
      await keepMembers(
        after.provider,
        given.map(({ group }) => group),
      )
      return after
    },
  }),
  method({
    ...write,
    name: 'providers.remove',
    summary:
      'Remove a provider with the identities that were linked to it, the sessions it opened and the memberships it gave',
    large: true,
    params: named,
    result: Type.Null(),
    errors: ['not_found'],
    aliases: ['oauth.remove_provider'],
    target: ({ provider }) => `provider=${provider}`,
    examples: [{ params: { provider: 'forge' }, result: null }],
    handler: async ({ provider }) => {
      const { provider: name } = await providers.known(provider)
      await forgetPeople(name)
      return providers.remove(name)
    },
  }),
  method({
    name: 'providers.test',
    summary: 'Test a provider step by step, and report which step fails',
    description:
      'Nobody signs in: the last step sends a code that was never issued, and checks how the provider refuses it. With `user`, it also shows what arrived at the last sign-in of that user within a week, and which groups we read from it now; this needs the claim proxy.users.read too.',
    effect: 'write',
    claim: ['proxy.oauth.write'],
    params: Shape({ provider: ProviderName, user: Type.Optional(Username) }),
    result: Shape({
      ok: Type.Boolean(),
      steps: Type.Array(Step),
      received: Type.Optional(Nullable(Received)),
    }),
    errors: ['not_found'],
    target: ({ provider }, result) =>
      `provider=${provider}${result ? ` ok=${result.ok ? 'yes' : `no,${result.steps.find(({ ok }) => ok === false)?.step}`}` : ''}`,
    examples: [
      {
        params: { provider: 'nowhere' },
        result: {
          ok: false,
          steps: [
            { step: 'address', ok: true, detail: 'https://nowhere.invalid' },
            { step: 'reach', ok: false, detail: 'nowhere.invalid cannot be reached: ENOTFOUND' },
            { step: 'discovery', ok: null, detail: 'not checked' },
            { step: 'issuer', ok: null, detail: 'not checked' },
            { step: 'keys', ok: null, detail: 'not checked' },
            { step: 'client', ok: null, detail: 'not checked' },
          ],
        },
      },
    ],
    prepare: async ({ provider, user }, caller) => {
      if (user !== undefined) requireClaim(caller, 'proxy.users.read')
      const known = await providers.known(provider)
      const received = user === undefined ? undefined : await receivedFor(provider, user)
      return {
        ...(await checkProvider(known, party, await mayBeLocal())),
        ...(user !== undefined && { received: received ? explainReceived(known, received) : null }),
      }
    },
    handler: (_, __, result) => result,
  }),
]
