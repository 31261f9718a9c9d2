import type { Generated } from 'kysely'

/** The tables, as Kysely sees them. Ids are UUID v7 text, times integer seconds, booleans 0 or 1: the same in both databases. */
export type Bit = 0 | 1

export interface UserRow {
  id: string
  username: string
  display_name: string
  email: string | null
  email_verified_at: number | null
  external_id: string | null
  is_active: Bit
  is_admin: Bit
  /** Whether there is a row for this person in totp (confirmed) or passkeys. */
  has_factor: Bit
  context: number
  created_at: number
  updated_at: number
}

export interface GroupRow {
  id: string
  slug: string
  name: string
  description: string
  is_active: Bit
  created_at: number
  updated_at: number
}

export interface RoleRow {
  id: string
  name: string
  description: string
  created_at: number
  updated_at: number
}

/** `service` is empty and `context` null where a grant holds everywhere. */
interface Scoped {
  service: string
  context: number | null
}

export interface SessionRow {
  id: string
  user_id: string
  /** SHA-256 of the token, hex: the token itself is nowhere. */
  token_hash: string
  /** `cookie` counts only as our cookie, `token` only as a bearer token. */
  kind: 'cookie' | 'token'
  provider: string
  address: string
  user_agent: string
  created_at: number
  expires_at: number
  /** What was proven besides the password or mail; empty for nothing. */
  factor: string
  /** When the person last proved who they are: at the sign-in, or since. */
  proven_at: number
  /** Up to a minute old. */
  last_used_at: number
  /** What the provider that opened the session calls it; empty for none. */
  provider_sid: string
  /** Sealed: the provider takes it as a hint when the person signs out there too; empty for none. */
  provider_id_token: string
  /** The host at which its cookie counts; empty for all of ours. */
  only_at: string
  /** Whom the session's administrator acts as, and until when. */
  impersonated_user_id: string | null
  impersonating_until: number | null
}

export interface RouteRow {
  id: string
  domain: string
  path_prefix: string
  target: string
  strip_prefix: Bit
  service: string
  auth_mode: string
  /** JSON list of claim patterns. */
  required_claims: string
  /** Audience of X-Hero-Assertion; empty sends none. */
  audience: string
  preserve_host: Bit
  enabled: Bit
  connect_timeout: number
  response_timeout: number
  /** JSON list of further upstreams. */
  more_targets: string
  /** Empty where nothing is probed. */
  health_path: string
  /** JSON list of patterns. */
  allowed_emails: string
  /** Empty where any provider will do. */
  provider: string
  /** SHA-256 of the route's static token, hex; empty without one. */
  bearer_token_hash: string
  /** In bytes; null sets no limit. */
  max_body: number | null
  /** The provider whose access token goes along; empty for none. */
  provider_token: string
  created_at: number
  updated_at: number
}

export interface AuditRow {
  id: string
  /** 1, 2, 3 …: the order in which rows were written, on all nodes together. */
  seq: number
  at: number
  actor: string
  on_behalf: string
  caller: string
  via: string
  uid: number | null
  pid: number | null
  address: string
  method: string
  target: string
  outcome: string
  /** HMAC over this row and the seal of the row before. */
  seal: string
}

export interface MailRow {
  id: string
  address: string
  kind: string
  /** JSON of what the text is filled with, links among it. */
  values_sealed: string
  created_at: number
  /** When it is tried next; whoever tries it puts this off, so that nobody else does meanwhile. */
  due_at: number
  tries: number
  last_error: string
  gave_up_at: number | null
}

export interface ClientRow {
  id: string
  /** The client_id. */
  client: string
  name: string
  public: Bit
  native: Bit
  first_party: Bit
  pkce: Bit
  is_active: Bit
  /** Whether it registered itself (RFC 7591). */
  dynamic: Bit
  /** Scope for claims; empty for none. */
  service: string
  backchannel_logout_uri: string
  /** JSON lists, as the next four. */
  redirect_uris: string
  post_logout_redirect_uris: string
  grants: string
  scopes: string
  claims: string
  /** JSON Web Key Set; empty without one. */
  jwks: string
  /** Its access tokens of this second and before are worth nothing. */
  tokens_since: number
  created_at: number
  updated_at: number
  /** Of those that registered themselves: to the day, null until then. */
  last_used_at: number | null
  /** The network that it registered itself from; empty for all others. */
  registered_from: string
}

/** A token that a program keeps; exactly one of `user_id` and `service_id` is set. */
export interface TokenRow {
  id: string
  /** SHA-256 of the token, hex: the token itself is nowhere. */
  token_hash: string
  user_id: string | null
  service_id: string | null
  name: string
  scope: string
  created_at: number
  expires_at: number
  /** Up to a minute old; 0 for never. */
  last_used_at: number
}

export interface OidcRecordRow {
  /** SHA-256 of kind and token: the token itself is nowhere. */
  id: string
  kind: string
  grant_id: string | null
  user_id: string | null
  client: string | null
  /** SHA-256 of what else a row is found by: the code that people type at /device. */
  lookup: string | null
  payload_sealed: string
  consumed_at: number | null
  expires_at: number
}

export interface ProviderRow {
  id: string
  /** Its name. */
  provider: string
  title: string
  preset: string
  issuer: string
  /** Empty where discovery tells, as the next three. */
  authorization_endpoint: string
  token_endpoint: string
  userinfo_endpoint: string
  emails_endpoint: string
  /** Our client_id there. */
  client: string
  /** Empty for none. */
  secret_sealed: string
  client_auth: string
  /** JSON lists, as the next one. */
  scopes: string
  allowed_domains: string
  enabled: Bit
  allow_signup: Bit
  /** Empty where groups are not looked at. */
  groups_claim: string
  keep_tokens: Bit
  refresh_profile: Bit
  sign_out: Bit
  own_callback: Bit
  created_at: number
  updated_at: number
}

export interface ProviderFlowRow {
  /** SHA-256 of the state, hex. */
  state_hash: string
  provider_id: string
  /** Who wants to link an identity; null for whoever signs in. */
  user_id: string | null
  /** SHA-256 of what the browser keeps in a cookie, hex. */
  browser_hash: string
  /** Where it began, and ends. */
  host: string
  /** Of the client, to bound how many one may begin. */
  network: string
  /** JSON of nonce, verifier and where to go on. */
  sealed: string
  created_at: number
  expires_at: number
}

interface OfUser {
  id: string
  user_id: string
  created_at: number
}

export interface Schema {
  users: UserRow
  removed_usernames: { username: string; removed_at: number }
  groups: GroupRow
  group_users: {
    group_id: string
    user_id: string
    expires_at: number | null
    added_at: number
    /** The provider that vouched for it at the last sign-in; empty for a membership given by hand. */
    given_by: Generated<string>
  }
  group_groups: { group_id: string; member_group_id: string; expires_at: number | null; added_at: number }
  group_admins: { group_id: string; user_id: string; added_at: number }
  group_roles: { group_id: string; role_id: string } & Scoped
  group_claims: { group_id: string; claim: string } & Scoped
  roles: RoleRow
  role_claims: { role_id: string; claim: string } & Scoped
  credentials: { user_id: string; kind: 'password'; hash: string; updated_at: number }
  user_networks: OfUser & { network: string; description: string }
  user_keys: OfUser & { pubkey: string; description: string }
  user_identities: OfUser & {
    provider: string
    subject: string
    /** As the provider told at the last sign-in, as the next one; empty for nothing. */
    login: Generated<string>
    avatar_url: Generated<string>
    last_used_at: Generated<number | null>
  }
  /** `claims` is a JSON list. */
  services: {
    id: string
    name: string
    unix_user: string
    claims: string
    created_at: number
    updated_at: number
  }
  signing_keys: {
    id: string
    algorithm: string
    public_jwk: string
    private_sealed: string
    created_at: number
    /** Null for the next one, which is published already. */
    signs_since: number | null
    retired_at: number | null
  }
  clients: ClientRow
  client_secrets: { client_id: string; secret_hash: string; created_at: number; expires_at: number | null }
  /** What lets applications register themselves, while `uses_left` lasts. */
  registration_tokens: {
    id: string
    name: string
    token_hash: string
    uses_left: number
    created_at: number
    expires_at: number
  }
  /** What people allowed an application to know; `scopes` is a JSON list. */
  consents: { user_id: string; client: string; scopes: string; created_at: number }
  oidc_records: OidcRecordRow
  tokens: TokenRow
  /** Access tokens that were taken back, until they end by themselves. */
  revoked_tokens: { jti: string; expires_at: number }
  /** Applications that are yet to be told that a session of theirs ended. */
  oidc_logouts: {
    id: string
    client: string
    subject: string
    sid: string
    due_at: number
    tries: number
  }
  providers: ProviderRow
  /** Which of a provider's groups mean which of ours. */
  provider_groups: { provider_id: string; value: string; group_id: string }
  /** Sign-ins on their way: each is used up by the answer. */
  provider_flows: ProviderFlowRow
  /** Identities that a provider has vouched for, until their person confirms whose they are. */
  provider_links: {
    token_hash: string
    provider_id: string
    sealed: string
    created_at: number
    expires_at: number
  }
  provider_tokens: {
    identity_id: string
    /** JSON of access and refresh token. */
    sealed: string
    expires_at: number | null
    /** Who renews them has the row to itself until then. */
    leased_until: number
  }
  /** Logout tokens that were taken: none counts twice. */
  provider_logouts: { provider_id: string; jti: string; expires_at: number }
  sessions: SessionRow
  /** Each renews its session once; `used_at` tells a second use from a first. */
  refresh_tokens: {
    token_hash: string
    session_id: string
    created_at: number
    expires_at: number
    used_at: number | null
  }
  totp: {
    user_id: string
    secret_sealed: string
    /** When the first code was given; until then it counts for nothing. */
    confirmed_at: number | null
    /** The last time step that was accepted: none counts twice. */
    last_step: number
    created_at: number
  }
  recovery_codes: { user_id: string; code_hash: string }
  passkeys: OfUser & {
    name: string
    credential_id: string
    public_key: string
    counter: number
    synced: Bit
    last_used_at: number | null
  }
  one_time_tokens: {
    token_hash: string
    purpose: string
    user_id: string | null
    /** Where it was sent to, in lower case; empty if nowhere. */
    address: string
    created_at: number
    expires_at: number
  }
  /** Guesses at a password, by account, by account and network, and by network. */
  attempts: {
    key: string
    /** When all that was counted will have drained away. */
    full_until: number
    /** In a row. */
    failures: number
    seen_at: number
  }
  mails: MailRow
  routes: RouteRow
  /** Signed requests that were let in: a nonce is used once per key. */
  signature_nonces: { pubkey: string; nonce: string; expires_at: number }
  acme_accounts: { directory: string; url: string; key_sealed: string; created_at: number }
  acme_challenges: { token: string; key_authorization: string; expires_at: number }
  certificates: { domain: string; chain: string; key_sealed: string; not_after: number; updated_at: number }
  /**
   * What was ended before its time, in the order in which it happened: a session, a token, or all tokens of a client. The others
   * of the three are empty.
   */
  revocations: {
    seq: number
    session_id: string
    token_id: string
    client: string
    user_id: string
    username: string
    reason: string
    at: number
  }
  /** `value` is JSON, or sealed text for secrets. */
  settings: { key: string; value: string; updated_at: number }
  /** What is true of this instance as a whole and no setting: `initialised_at`, `master_secret_check`, `via`. */
  instance: { key: string; value: string }
  audit: AuditRow
  revisions: { subject: string; value: number }
}

/** What caches are made from; a change raises its subject's revision in the same transaction. */
export const subjects = [
  'users',
  'groups',
  'sessions',
  'routes',
  'settings',
  'services',
  'keys',
  'certificates',
  'clients',
  'tokens',
  'records',
  'providers',
] as const
export type Subject = (typeof subjects)[number]
