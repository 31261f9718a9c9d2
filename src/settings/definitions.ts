import { invalidParams } from '../errors.ts'

type Value = string | number | boolean

interface Definition<V extends Value> {
  readonly default: V
  readonly description: string
  readonly allowed: string
  /** Kept sealed, and told only as `set`. */
  readonly secret?: true
  /** Throws invalid_params with what is allowed. */
  readonly check: (value: unknown) => void
}

const define = <V extends Value>(
  fallback: V,
  description: string,
  allowed: string,
  valid: (value: unknown) => boolean,
): Definition<V> => ({
  default: fallback,
  description,
  allowed,
  check: (value) => {
    if (!valid(value)) throw invalidParams('value', allowed)
  },
})

const integer = (fallback: number, least: number, most: number, description: string) =>
  define<number>(
    fallback,
    description,
    `an integer from ${least} to ${most}`,
    (value) => Number.isInteger(value) && (value as number) >= least && (value as number) <= most,
  )

const yesNo = (fallback: boolean, description: string) =>
  define<boolean>(fallback, description, 'true or false', (value) => typeof value === 'boolean')

const oneOf = <const V extends string>(fallback: V, options: readonly V[], description: string) =>
  define<V>(fallback, description, `one of ${options.join(', ')}`, (value) => options.includes(value as V))

const text = (fallback: string, pattern: RegExp, allowed: string, description: string) =>
  define<string>(
    fallback,
    description,
    allowed,
    (value) => typeof value === 'string' && value.length <= 254 && pattern.test(value),
  )

const secret = (description: string) => ({
  ...define<string>(
    '',
    description,
    'at most 1024 characters without line breaks; empty for none',
    (value) => typeof value === 'string' && value.length <= 1024 && !/[\u0000-\u001f\u007f]/.test(value),
  ),
  secret: true as const,
})

const luminance = (colour: string): number => {
  const [r, g, b] = [1, 3, 5].map((i) => {
    const part = Number.parseInt(colour.slice(i, i + 2), 16) / 255
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!
}

/** WCAG 2.2 section 1.4.3: what is written in this colour can be read on its ground. */
const readable = (colour: string, ground: string): boolean => {
  const [one = 0, other = 0] = [luminance(colour), luminance(ground)]
  return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05) >= 4.5
}

const accent = (ground: string, groundName: string, description: string) =>
  define<string>(
    '',
    description,
    `#rrggbb with a contrast of at least 4.5 to ${groundName}; empty for ours`,
    (value) =>
      value === '' || (typeof value === 'string' && /^#[0-9a-f]{6}$/i.test(value) && readable(value, ground)),
  )

/** Every run-time setting. A new one is one row here. */
export const definitions = {
  default_context: integer(
    1,
    1,
    2147483647,
    'Context of new users; 0 (internal trust) is given to a person by hand only',
  ),
  audit_retention_days: integer(0, 0, 36500, 'Days that audit entries are kept; 0 keeps them for good'),
  session_lifetime: integer(
    86400,
    300,
    34560000,
    'Seconds that a sign-in lasts; browsers keep cookies for 400 days at most',
  ),
  session_idle: integer(604800, 300, 34560000, 'Seconds without use after which a session ends'),
  refresh_lifetime: integer(
    2592000,
    300,
    34560000,
    'Seconds after a sign-in of a program until which its session can be renewed by auth.refresh',
  ),
  token_lifetime: integer(
    31536000,
    60,
    315360000,
    'Seconds that a token which somebody keeps in a program lives at most',
  ),
  hs256_tokens: yesNo(
    false,
    'Issue HS256 tokens of the old hero_auth at POST /token and /login: whoever holds HERO_SECRET can then make tokens that your old services believe; ours never do',
  ),
  key_rotation_days: integer(
    90,
    0,
    3650,
    'Days that a key signs before the next one does; 0 is until keys.rotate',
  ),
  admin_factor: yesNo(
    false,
    'Withhold admin and proxy.* from people without a second factor or passkey; they can sign in and add one',
  ),
  insecure_cookies: yesNo(
    false,
    'Allow signing in over plain HTTP on other hosts than localhost; passwords then cross the network readable',
  ),
  password_min_length: integer(
    8,
    8,
    128,
    'Characters a new password must have at least; NIST asks for 15 where it is the only factor',
  ),
  network_login: yesNo(
    false,
    'Know people by the networks of users.networks where auth_mode is none or optional; a network proves a place, not a person',
  ),
  socket_trust: oneOf(
    'kernel',
    ['kernel', 'file_mode'],
    "Who is operator on rpc.sock: kernel, the daemon's own user and root; file_mode, everybody who can open it",
  ),
  site_name: text(
    'hero_proxy',
    /^[^\u0000-\u001f\u007f<>]{1,60}$/,
    'one line of 1 to 60 characters without < and >',
    'What this installation is called on its pages and in its mail',
  ),
  theme_accent: accent('#ffffff', 'white', 'Colour of buttons and links on our pages'),
  theme_accent_dark: accent('#1d2125', 'the dark card, #1d2125', 'The same in the dark'),
  logo: define<string>(
    '',
    'A picture in place of the door on our pages',
    'one <svg> of at most 32768 characters; empty for ours',
    (value) =>
      value === '' ||
      (typeof value === 'string' && value.length <= 32_768 && /^\s*<svg[\s>][\s\S]*<\/svg>\s*$/.test(value)),
  ),
  registration_mode: oneOf(
    'closed',
    ['closed', 'invite', 'open'],
    'Who may make an account: closed, nobody; invite, whoever was invited; open, everybody with an address that answers',
  ),
  providers_may_be_local: yesNo(
    false,
    'Let identity providers be at loopback and link-local addresses, there over plain HTTP too',
  ),
  magic_links: yesNo(
    false,
    'Let people sign in by a link that is mailed to them: whoever reads their mail is they',
  ),
  magic_link_lifetime: integer(900, 60, 3600, 'Seconds for which a mailed sign-in link works'),
  client_registration: oneOf(
    'off',
    ['off', 'token', 'open'],
    'Whether applications may register themselves (RFC 7591): off, none, and those that have are stopped meanwhile; token, with one of clients.registration_tokens; open, whoever asks',
  ),
  client_metadata_documents: oneOf(
    'off',
    ['off', 'public', 'anywhere'],
    'Whether an https address may be a client_id and say itself what the client is: off; public, at public addresses; anywhere, also in your own network and on this machine',
  ),
  smtp_host: text(
    '',
    /^([a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?|[0-9a-fA-F:]+)?$/,
    'a host name or address; empty for none',
    'Mail server; while there is none, mail is written to the log',
  ),
  smtp_port: integer(587, 1, 65535, 'Port of the mail server'),
  smtp_tls: oneOf(
    'starttls',
    ['starttls', 'tls', 'none'],
    'How the way to the mail server is protected: starttls, TLS is asked for and insisted on; tls, from the first byte; none, readable for everybody between',
  ),
  smtp_user: text(
    '',
    /^[^\u0000-\u001f\u007f]*$/,
    'one line of at most 254 characters; empty for none',
    'User name at the mail server',
  ),
  smtp_password: secret('Password at the mail server'),
  smtp_ca: define<string>(
    '',
    'Certificate authority that the mail server is trusted by, in place of the public ones',
    'one or more certificates in PEM, at most 4096 characters; empty for the public ones',
    (value) =>
      typeof value === 'string' &&
      value.length <= 4096 &&
      /^(\s*-----BEGIN CERTIFICATE-----[\sA-Za-z0-9+/=]+-----END CERTIFICATE-----\s*)*$/.test(value),
  ),
  mail_from: text(
    '',
    /^([a-zA-Z0-9][a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]{0,63}@[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(\.[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*)?$/,
    'one plain e-mail address in ASCII; empty for no-reply@ the host of the public URL',
    'Address that mail comes from',
  ),
} satisfies Record<string, { readonly default: Value; readonly check: (value: unknown) => void }>

export type SettingKey = keyof typeof definitions
export type SettingValues = { [K in SettingKey]: (typeof definitions)[K]['default'] }

export const isSecret = (key: SettingKey): boolean => 'secret' in definitions[key]
