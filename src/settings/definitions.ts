import { ClaimPattern } from '../contract/schemas.ts'
import { languages } from '../strings/language.ts'
import {
  accent,
  define,
  integer,
  oneOf,
  secret,
  text,
  yesNo,
  type Definition,
  type Value,
} from './definition.ts'

const claimPattern = new RegExp((ClaimPattern as unknown as { readonly pattern: string }).pattern)
const segmentList = /^([a-zA-Z0-9][a-zA-Z0-9_-]{0,62}(, ?[a-zA-Z0-9][a-zA-Z0-9_-]{0,62})*)?$/
const domain = '[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(\\.[a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*'
const domainList = new RegExp(`^(${domain}(, ?${domain})*)?$`)

/** Every run-time setting. A new one is one row here. */
export const definitions = {
  default_context: integer(
    1,
    1,
    2147483647,
    'Context of new users; 0 (internal trust) can only be set for single users by hand',
  ),
  audit_retention_days: integer(0, 0, 36500, 'Days for which audit entries are kept; 0 keeps them forever'),
  session_lifetime: integer(
    86400,
    300,
    34560000,
    'Seconds for which a session lasts after sign-in, unless its person asked to stay signed in (remember_days)',
  ),
  session_idle: integer(
    604800,
    300,
    34560000,
    'Seconds without use after which a session ends, unless its person asked to stay signed in (remember_days)',
  ),
  remember_days: integer(
    30,
    0,
    400,
    'Days without use after which a sign-in ends that its person asked to keep; 0 offers this to nobody, and ends those that were kept',
  ),
  remember_max_days: integer(
    180,
    1,
    400,
    'Days after which a kept sign-in ends in any case; browsers keep cookies for at most 400 days',
  ),
  trust_days: integer(
    30,
    0,
    400,
    'Days for which a browser needs no second factor at sign-in that its person trusts; 0 offers this to nobody, and ends it',
  ),
  elsewhere: oneOf(
    'same_network',
    ['off', 'same_network', 'anywhere'],
    'Whether a phone may sign in another browser by a QR code. off: no; same_network: from the same network address only (the same /64 of IPv6); anywhere: from any. Refused while the address may be that of a proxy that trusted_proxies does not list',
  ),
  refresh_lifetime: integer(
    2592000,
    300,
    34560000,
    'Seconds after a program’s sign-in for which auth.refresh can renew its session',
  ),
  token_lifetime: integer(31536000, 60, 315360000, 'Maximum lifetime of a personal token in seconds'),
  hs256_tokens: yesNo(
    false,
    'Issue HS256 tokens of the old hero_auth at POST /token and /login: anyone with HERO_SECRET can create tokens that your old services accept; hero_proxy itself never accepts them',
  ),
  key_rotation_days: integer(
    90,
    0,
    3650,
    'Days after which signing keys rotate; 0 rotates them only when keys.rotate is called',
  ),
  admin_factor: yesNo(
    false,
    'Withhold admin, groups.admin and proxy.* from sign-ins without a second factor or passkey, and from tokens of people who have none; they can still sign in and add one',
  ),
  admin_proof_age: integer(
    86400,
    60,
    2592000,
    'Seconds after their last proof for which a sign-in of an administrator holds admin, groups.admin and proxy.*',
  ),
  insecure_cookies: yesNo(
    false,
    'Allow signing in over plain HTTP at hosts other than localhost; passwords can then be read on the network',
  ),
  password_min_length: integer(
    8,
    8,
    128,
    'Minimum number of characters of a new password; NIST requires 15 if the password is the only factor',
  ),
  network_login: yesNo(
    false,
    'Recognise users by their networks (users.networks) on routes with auth_mode none or optional; a network identifies a place, not a person',
  ),
  socket_trust: oneOf(
    'kernel',
    ['kernel', 'file_mode'],
    "Who is the operator on rpc.sock. kernel: the daemon's own user and root; file_mode: everyone who can open the socket",
  ),
  site_name: text(
    'hero_proxy',
    /^[^\u0000-\u001f\u007f<>]{1,60}$/,
    'one line of 1 to 60 characters without < and >',
    'Name of this installation on its pages and in its mail',
  ),
  help_text: text(
    '',
    /^[^\u0000-\u001f\u007f<>]*$/,
    'one line of at most 254 characters without < and >; empty for a general sentence',
    'What people read who may open no service yet: who gives access here, and how to ask',
  ),
  default_language: oneOf(
    'en',
    languages,
    'Language of pages if the browser accepts none of ours, and of mail that was not requested on a page',
  ),
  theme_accent: accent('#ffffff', 'white', 'Colour of buttons and links on our pages'),
  theme_accent_dark: accent('#1d2125', 'the dark card, #1d2125', 'The same colour in dark mode'),
  logo: define<string>(
    '',
    'Logo on our pages, instead of the default one',
    'one <svg> of at most 32768 characters; empty for the default',
    (value) =>
      value === '' ||
      (typeof value === 'string' && value.length <= 32_768 && /^\s*<svg[\s>][\s\S]*<\/svg>\s*$/.test(value)),
  ),
  registration_mode: oneOf(
    'closed',
    ['closed', 'invite', 'open'],
    'Who may create an account. closed: nobody; invite: people with an invitation; open: anyone with a working address',
  ),
  default_groups: define<string>(
    '',
    'Groups of everybody who signs up without an invitation, while registration_mode is open. Nobody lands by this in admin, or in a group that asks for a proof',
    'slugs of groups separated by commas, at most 1000 characters; empty for none',
    (value) => typeof value === 'string' && value.length <= 1000 && segmentList.test(value),
  ),
  self_delete: yesNo(false, 'Let people delete their own accounts'),
  delete_days: integer(
    7,
    1,
    90,
    'Days after which an account that its person has deleted is gone; until then a mailed link takes it back',
  ),
  request_days: integer(
    30,
    1,
    3650,
    'Days after which a membership ends that somebody asked for, unless who approves it says when',
  ),
  providers_may_be_local: yesNo(
    false,
    'Allow identity providers at loopback and link-local addresses, also over plain HTTP',
  ),
  magic_links: yesNo(
    false,
    'Let users sign in with a mailed link; anyone who reads their mail can then sign in as them',
  ),
  mail_codes: yesNo(
    true,
    'Put a code beside the link in sign-in mails, which the browser that asked for the mail can take instead',
  ),
  factor_enrolment: oneOf(
    'mail',
    ['mail', 'administrator', 'proof'],
    'What the first factor of an account takes. mail: a code from its mail besides the fresh proof, once a mail server is set; administrator: a link that users.enrolment_link makes; proof: the fresh proof alone',
  ),
  passkey_rp_id: define<string>(
    '',
    'The host for which new passkeys are made and that the sign-in page asks for first. By default the first one stays, also when public_url changes; existing passkeys keep theirs',
    'the host of public_url or of one of previous_public_urls; empty for the default',
    (value, hosts) => value === '' || (typeof value === 'string' && hosts.has(value)),
  ),
  magic_link_lifetime: integer(900, 60, 3600, 'Seconds for which a mailed sign-in link works'),
  client_registration: oneOf(
    'off',
    ['off', 'token', 'open'],
    'Whether applications may register themselves (RFC 7591). off: none, and registered ones are suspended; token: with a token of clients.registration_tokens; open: any',
  ),
  client_metadata_documents: oneOf(
    'off',
    ['off', 'public', 'anywhere'],
    'Whether an https URL that returns the metadata of a client may be its client_id. off: no; public: at public addresses; anywhere: also in your own network and on this machine, and the pictures of providers too',
  ),
  client_default_claims: define<string>(
    '',
    'Who may enter applications that nobody added: those that registered themselves or have a metadata document. Patterns of claims, of which a person must hold one; empty lets every active person in',
    'patterns of claims separated by commas, at most 1000 characters; empty for everybody',
    (value) =>
      typeof value === 'string' &&
      value.length <= 1000 &&
      (value === '' || value.split(/, */).every((claim) => claimPattern.test(claim))),
  ),
  webfinger_domains: define<string>(
    '',
    'Domains of mail addresses that sign in here: WebFinger (RFC 7033) names us as the issuer for every address of theirs, whether or not it has an account',
    'host names separated by commas, at most 1000 characters; empty for none',
    (value) => typeof value === 'string' && value.length <= 1000 && domainList.test(value),
  ),
  smtp_host: text(
    '',
    /^([a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?|[0-9a-fA-F:]+)?$/,
    'a host name or address; empty for none',
    'Mail server; without one, mail is written to the log',
  ),
  smtp_port: integer(587, 1, 65535, 'Port of the mail server'),
  smtp_tls: oneOf(
    'starttls',
    ['starttls', 'tls', 'none'],
    'Protection of the connection to the mail server. starttls: TLS is requested and required; tls: TLS from the first byte; none: readable on the network',
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
    'Certificate authority of the mail server, instead of the public ones',
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
    'Sender address of mail',
  ),
} satisfies Record<string, { readonly default: Value; readonly check: Definition<Value>['check'] }>

export type SettingKey = keyof typeof definitions
export type SettingValues = { [K in SettingKey]: (typeof definitions)[K]['default'] }

export const isSecret = (key: SettingKey): boolean => 'secret' in definitions[key]
