/** The protocol of a provider: OpenID Connect with discovery, or OAuth 2.0 with configured endpoints. */
export type Kind = 'oidc' | 'oauth2'

interface Preset {
  readonly title: string
  readonly kind: Kind
  /** Set if all users of the preset have the same issuer; otherwise the administrator gives it. */
  readonly issuer?: string
  readonly authorization_endpoint?: string
  readonly token_endpoint?: string
  readonly userinfo_endpoint?: string
  readonly emails_endpoint?: string
  readonly scopes: readonly string[]
  /** The default way to send secrets. Forges and GitHub do not decode the form encoding in Basic that RFC 6749 section 2.3.1 requires. */
  readonly client_auth: 'auto' | 'client_secret_basic' | 'client_secret_post'
  /** The JWT claim that lists groups. */
  readonly groups_claim?: string
  /** Whether the provider authenticates people again when we ask for it, and reports when they did. */
  readonly asks_anew: boolean
  /** The required parameters besides `client`. */
  readonly needs: readonly string[]
  /** Where to register our redirect URI and get a client_id. */
  readonly where: string
}

/** Presets for common providers. `oidc` and `oauth2` are for all others. */
export const presets = {
  forge: {
    title: 'Forge',
    kind: 'oidc',
    client_auth: 'client_secret_post',
    scopes: ['openid', 'email', 'profile', 'groups'],
    groups_claim: 'groups',
    asks_anew: false,
    needs: ['issuer'],
    where:
      'Forgejo or Gitea: Settings, Applications; for the whole instance, Site Administration, Applications',
  },
  google: {
    title: 'Google',
    kind: 'oidc',
    client_auth: 'client_secret_post',
    issuer: 'https://accounts.google.com',
    scopes: ['openid', 'email', 'profile'],
    asks_anew: false,
    needs: [],
    where: 'https://console.cloud.google.com/auth/clients',
  },
  github: {
    title: 'GitHub',
    kind: 'oauth2',
    client_auth: 'client_secret_post',
    authorization_endpoint: 'https://github.com/login/oauth/authorize',
    token_endpoint: 'https://github.com/login/oauth/access_token',
    userinfo_endpoint: 'https://api.github.com/user',
    emails_endpoint: 'https://api.github.com/user/emails',
    scopes: ['read:user', 'user:email'],
    asks_anew: false,
    needs: [],
    where: 'https://github.com/settings/developers',
  },
  hero_proxy: {
    title: 'hero_proxy',
    kind: 'oidc',
    client_auth: 'client_secret_basic',
    scopes: ['openid', 'email', 'profile', 'groups'],
    groups_claim: 'groups',
    asks_anew: true,
    needs: ['issuer'],
    where: 'On that instance: hero-proxy call clients.add',
  },
  oidc: {
    title: 'OpenID Connect',
    kind: 'oidc',
    client_auth: 'auto',
    scopes: ['openid', 'email', 'profile'],
    asks_anew: true,
    needs: ['issuer'],
    where: 'The documentation of the provider',
  },
  oauth2: {
    title: 'OAuth 2.0',
    kind: 'oauth2',
    client_auth: 'client_secret_post',
    scopes: [],
    asks_anew: false,
    needs: ['authorization_endpoint', 'token_endpoint', 'userinfo_endpoint'],
    where: 'The documentation of the provider',
  },
} as const satisfies Record<string, Preset>

export type PresetName = keyof typeof presets
export const presetNames = Object.keys(presets) as PresetName[]
export const presetOf = (name: PresetName): Preset => presets[name]
