import { invalidParams } from '../errors.ts'

type Value = string | number | boolean

interface Definition<V extends Value> {
  readonly default: V
  readonly description: string
  readonly allowed: string
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
} satisfies Record<
  string,
  Definition<never> | Definition<number> | Definition<boolean> | Definition<'kernel' | 'file_mode'>
>

export type SettingKey = keyof typeof definitions
export type SettingValues = { [K in SettingKey]: (typeof definitions)[K]['default'] }
