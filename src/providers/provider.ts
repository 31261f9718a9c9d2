import { Type, type Static } from '../contract/schema_builder.ts'
import { GroupSlug, Id, Line, Name, Named, Nullable, Time } from '../contract/schemas.ts'
import { presetNames } from './presets.ts'

export const ProviderName = Type.String({
  pattern: '^[a-z0-9][a-z0-9_-]{0,62}$',
  description: '1 to 63 lower-case letters, digits, "_" or "-", the first a letter or digit',
})

const Address = (meaning: string) =>
  Type.String({
    maxLength: 500,
    pattern: '^https?://[!-~]+$',
    description: `${meaning}: an https address; http only on this machine, if the setting providers_may_be_local is on`,
  })

const MailDomain = Type.String({
  maxLength: 253,
  pattern: '^[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(\\.[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$',
  description: 'The complete part of an address after the @',
})

export const PresetName = Type.Enum(presetNames, {
  description:
    'forge (Forgejo, Gitea), google, github, hero_proxy; oidc: any other with discovery; oauth2: any other by its endpoints',
})

export const clientAuths = ['auto', 'client_secret_basic', 'client_secret_post', 'none'] as const
export type ClientAuth = (typeof clientAuths)[number]

/** The location of a provider. It never changes, because the provider's identities belong to it. */
export const addresses = {
  issuer: Address('The issuer (OpenID Connect Discovery section 3), such as the base URL of a forge'),
  authorization_endpoint: Address('The page where people sign in'),
  token_endpoint: Address('The endpoint that exchanges codes for tokens'),
  userinfo_endpoint: Address('The endpoint that returns who a person is'),
  emails_endpoint: Address('The endpoint that returns email addresses, as `{email, primary, verified}`'),
}

export const ClientId = Line('Our client_id at the provider', 255)
export const ClientSecret = Type.String({
  minLength: 1,
  maxLength: 1024,
  pattern: '^[^\\u0000-\\u001f\\u007f]*$',
  description: 'Our secret at the provider; it is stored sealed and never shown',
})

/** A private key at the provider, from which we make a client secret for each request. */
export const ClientKey = Type.Object(
  {
    private_key: Type.String({
      maxLength: 4000,
      description: 'PEM of a P-256 key (ES256); it is stored sealed and never shown',
    }),
    key_id: Line('The id of the key at the provider', 100),
    team_id: Line('Who we are at the provider: the issuer of the secret', 100),
  },
  { additionalProperties: false, description: 'Instead of client_secret, as Apple wants it' },
)
export type ClientKey = Static<typeof ClientKey>

const BaseUrl = (meaning: string) =>
  Type.String({ maxLength: 500, pattern: '^https?://[!-~]+$', description: meaning })

/** The fields of a provider that an administrator can set. */
export const providerFields = {
  title: Name('The name that people see; for oidc and oauth2 the provider name by default', 60),
  client: ClientId,
  client_auth: Type.Enum(clientAuths, {
    description:
      'How hero_proxy authenticates at the token endpoint; auto: as the configuration of the provider says, or else by what it accepts',
  }),
  scopes: Type.Array(Type.String({ maxLength: 100, pattern: '^[!#-\\[\\]-~]+$' }), {
    maxItems: 30,
    uniqueItems: true,
    description: 'Requested scopes (RFC 6749 section 3.3)',
  }),
  enabled: Type.Boolean({ description: 'Whether people may sign in with this provider' }),
  allow_signup: Type.Boolean({
    description: 'Whether an unknown identity gets an account at its first sign-in',
  }),
  allowed_domains: Type.Array(MailDomain, {
    maxItems: 100,
    uniqueItems: true,
    description:
      'At every sign-in, the address that the provider has verified must be of one of these domains; empty requires nothing',
  }),
  groups_claim: Nullable(
    Line(
      'The claim that names groups, or a path to it (`realm_access.roles`): a list of names or objects, an object with the names as keys, or a text with commas; null ignores groups',
      255,
    ),
  ),
  groups: Type.Array(
    Type.Object(
      { value: Line('A group at the provider', 255), group: GroupSlug },
      { additionalProperties: false },
    ),
    {
      maxItems: 500,
      description:
        'Maps groups of the provider to our groups. Memberships are updated at every sign-in; those given by hand stay',
    },
  ),
  default_groups: Type.Array(GroupSlug, {
    maxItems: 20,
    description:
      'Groups of every account that a first sign-in with the provider creates (allow_signup). Nobody lands by this in admin, or in a group that asks for a proof',
  }),
  keep_tokens: Type.Boolean({
    description:
      'Store the tokens that the provider issues for each person, sealed, for auth.upstream_token and routes',
  }),
  refresh_profile: Type.Boolean({
    description:
      'Update the name of people, and the address that the provider has replaced by another verified one, at every sign-in, not only at the first',
  }),
  pictures: Type.Boolean({
    description:
      'People without a picture here get the one that the provider reports, after a sign-in. It is fetched by https from public addresses, and written anew like those that people upload, which it never replaces',
  }),
  sign_out: Type.Boolean({
    description: 'People who sign out here are signed out at the provider too, if it offers this',
  }),
  response_mode: Type.Enum(['query', 'form_post'] as const, {
    description:
      'How the provider sends the browser back; form_post (OAuth 2.0 Form Post Response Mode) for those that insist on it, as Apple does',
  }),
  internal_urls: Type.Array(
    Type.Object(
      {
        public: BaseUrl('An address of the provider, or the start of several, as people see it'),
        internal: BaseUrl('Where we reach it instead; plain http only in a private network'),
      },
      { additionalProperties: false },
    ),
    {
      maxItems: 10,
      description: 'Where we call the provider, if not at its public addresses. Needs the claim proxy.admin',
    },
  ),
  email_trusted: Type.Boolean({
    description:
      'An address counts as verified if the provider says nothing about that (`email_verified`), as Entra and AD FS do. Only for a provider that lets nobody choose their address',
  }),
  second_factor_values: Type.Array(Line('A value of `amr` or `acr`', 255), {
    maxItems: 20,
    uniqueItems: true,
    description:
      'A sign-in whose ID token names one of these in `amr` or `acr` counts as one with a second factor, at its `auth_time`; without `auth_time` it does not. Only with OpenID Connect. A new value needs the claim proxy.admin',
  }),
  own_callback: Type.Boolean({
    description:
      'Whether the redirect URI contains the provider name. Only one provider at a time may omit it: no two share a redirect URI, so that none can replay the response of another (RFC 9700 section 4.4.2)',
  }),
}

export const Provider = Named('Provider', {
  id: Id,
  provider: ProviderName,
  preset: PresetName,
  issuer: Nullable(addresses.issuer),
  authorization_endpoint: Nullable(addresses.authorization_endpoint),
  token_endpoint: Nullable(addresses.token_endpoint),
  userinfo_endpoint: Nullable(addresses.userinfo_endpoint),
  emails_endpoint: Nullable(addresses.emails_endpoint),
  ...providerFields,
  secret_set: Type.Boolean(),
  redirect_uri: Type.String({
    description: 'The redirect URI to register at the provider, exactly as written',
  }),
  backchannel_logout_uri: Type.String({
    description:
      'The back-channel logout URI that can be registered at the provider, so that people who sign out there are also signed out here',
  }),
  created_at: Time,
  updated_at: Time,
})
export type Provider = Static<typeof Provider>

/** A provider with its secret, for calls to it. */
export interface KnownProvider extends Provider {
  readonly kind: 'oidc' | 'oauth2'
  readonly secret: string
  readonly client_key: ClientKey | undefined
}

const steps = ['address', 'reach', 'discovery', 'issuer', 'keys', 'client'] as const
export type StepName = (typeof steps)[number]

export const Step = Type.Object(
  {
    step: Type.Enum(steps, {
      description:
        'address: we may call it; reach: it answers; discovery: it has a configuration; issuer: the configuration is for this issuer; keys: we can read its keys; client: our client_id and secret are right',
    }),
    ok: Nullable(Type.Boolean({ description: 'null: not checked, because an earlier step failed' })),
    detail: Type.String(),
  },
  { additionalProperties: false },
)
export type Step = Static<typeof Step>

/** What arrived when a person last signed in. */
export const Received = Type.Object(
  {
    received_at: Time,
    claims: Type.Unsafe<Record<string, unknown>>(
      Type.Object({}, { additionalProperties: true, description: 'From the ID token and userinfo' }),
    ),
    groups: Type.Array(Type.String(), { description: 'What groups_claim finds in them' }),
    mapped: Type.Array(Type.String(), { description: 'Our groups that these mean' }),
  },
  { additionalProperties: false },
)
