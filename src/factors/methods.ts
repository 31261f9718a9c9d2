import { refuseWhileImpersonating, type Caller } from '../contract/caller.ts'
import { conflict, invalidParams } from '../contract/errors.ts'
import { method } from '../contract/method.ts'
import { Id, Name, Named, Nothing, Nullable, Shape, ShownName, Time, Username } from '../contract/schemas.ts'
import { Type } from '../contract/schema_builder.ts'
import type { Factors } from './factors.ts'
import { CreationOptions, exampleCreation, PasskeyResponse, SecretCode } from './passkey_schemas.ts'
import type { Passkeys } from './passkeys.ts'

const PasskeyName = Name('The name that its owner gave it')

const Passkey = Named('Passkey', {
  id: Id,
  name: ShownName('The name that its owner gave it'),
  rp_id: Type.String({
    description:
      'The host for which it was made; it depends on an earlier public URL if that is not the present host',
  }),
  synced: Type.Boolean({
    description: 'Synced by a password manager, so that it survives the loss of a device',
  }),
  verifies_user: Type.Boolean({
    description:
      'Verifies its user by PIN or body, so it signs in alone; otherwise it is a second factor only',
  }),
  created_at: Time,
  last_used_at: Nullable(Time),
})

const RecoveryCodes = Type.Array(Type.String(), {
  description: 'Shown only once; each replaces a second factor once',
})

const id = '01932d1c-7a5e-7c41-9f3a-5f1d2c3b4a71'
const codes = ['k3vq-7xnd-m2ap-wz5t']

interface Parts {
  readonly factors: Factors
  readonly passkeys: Passkeys
  /** Returns the user with this id or name; throws not_found. */
  readonly userOf: (lookup: { id: string } | { username: string }) => Promise<Owner>
  /** Throws if the caller may not add the first factor of their account yet. */
  readonly guardFirst: (caller: Caller) => Promise<void>
  /** Like userOf, for a caller who acts on another user's account; throws claim_required if they may not. */
  readonly guard: (username: string, caller: Caller) => Promise<Owner>
  /**
   * Counts one code as wrong before it is checked, and throws rate_limited after too many. Returns a function to call
   * for a correct code: it clears the count, inside the transaction of what the code allows.
   */
  readonly count: (userId: string, address: string | undefined) => Promise<() => Promise<void>>
}

/** The user who owns the factors. */
interface Owner {
  readonly id: string
  readonly username: string
  readonly display_name: string
}

/** The user whose factors a call is about: the caller. */
const owner = (caller: Caller): string => {
  refuseWhileImpersonating(caller)
  if (caller.user_id === undefined) throw conflict('Only a signed-in user has second factors')
  return caller.user_id
}

/** Methods for second factors and passkeys of users. */
export const factorMethods = ({ factors, passkeys, userOf, guardFirst, guard, count }: Parts) => [
  method({
    name: 'factors.list',
    summary: 'List the second factors and passkeys of a user; by default your own',
    effect: 'read',
    claim: ['proxy.users.read', 'users.{user?}'],
    params: Shape({ user: Type.Optional(Username) }),
    result: Named('FactorList', {
      totp: Nullable(Shape({ created_at: Time })),
      passkeys: Type.Array(Passkey),
      recovery_codes: Type.Integer({ description: 'How many recovery codes are left' }),
    }),
    errors: ['not_found'],
    examples: [{ params: { user: 'ada' }, result: { totp: null, passkeys: [], recovery_codes: 0 } }],
    handler: async ({ user }, caller) => {
      if (user === undefined && caller.user_id === undefined)
        throw invalidParams('user', 'a username; only a signed-in user may omit it')
      const of = user === undefined ? { id: caller.user_id! } : { username: user }
      return factors.list((await userOf(of)).id)
    },
  }),
  method({
    name: 'factors.add_totp',
    summary:
      'Begin to add an authenticator app: return its secret, which takes effect after factors.confirm_totp',
    effect: 'write',
    claim: 'self',
    fresh: true,
    params: Nothing,
    result: Shape({
      secret: Type.String({ description: 'Base32, to type into an app' }),
      uri: Type.String({ description: 'otpauth://…, to show as a QR code' }),
    }),
    errors: ['conflict'],
    examples: [
      {
        params: {},
        result: {
          secret: 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP',
          uri: 'otpauth://totp/hero_proxy:ada?issuer=hero_proxy&secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&algorithm=SHA1&digits=6&period=30',
        },
      },
    ],
    prepare: (_, caller) => guardFirst(caller),
    handler: async (_, caller) => factors.beginTotp(await userOf({ id: owner(caller) })),
  }),
  method({
    name: 'factors.confirm_totp',
    summary: 'Turn on the authenticator app with its first code',
    description: 'The first factor comes with recovery codes and ends your other sessions.',
    effect: 'write',
    claim: 'self',
    fresh: true,
    params: Shape({ code: SecretCode }),
    result: Shape({ recovery_codes: RecoveryCodes }),
    errors: ['conflict', 'unauthenticated', 'rate_limited'],
    examples: [{ params: { code: '492039' }, result: { recovery_codes: codes } }],
    prepare: async (_, caller) => {
      await guardFirst(caller)
      return count(owner(caller), caller.address)
    },
    handler: async ({ code }, caller, succeeded) => {
      const recovery_codes = [...(await factors.confirmTotp(owner(caller), code, caller))]
      await succeeded()
      return { recovery_codes }
    },
  }),
  method({
    name: 'factors.remove_totp',
    summary: 'Turn off the authenticator app',
    effect: 'write',
    claim: 'self',
    fresh: true,
    params: Nothing,
    result: Type.Null(),
    errors: ['conflict', 'not_found'],
    examples: [{ params: {}, result: null }],
    handler: async (_, caller) => {
      await factors.removeTotp(owner(caller), caller)
      return null
    },
  }),
  method({
    name: 'factors.passkey_options',
    summary: 'Return what a browser needs to create a passkey, for factors.add_passkey',
    effect: 'read',
    claim: 'self',
    params: Nothing,
    result: CreationOptions,
    errors: ['conflict', 'proof_required'],
    examples: [{ params: {}, result: exampleCreation }],
    prepare: (_, caller) => guardFirst(caller),
    handler: async (_, caller) => passkeys.creationOptions(await userOf({ id: owner(caller) })),
  }),
  method({
    name: 'factors.add_passkey',
    summary:
      'Add a passkey that a browser created; it can sign in on its own, or is required in addition to the password',
    description:
      'A key that did not verify its user (U2F, or without PIN) is a second factor only. The first factor comes with recovery codes and ends your other sessions.',
    effect: 'write',
    claim: 'self',
    fresh: true,
    params: Shape({ name: PasskeyName, attestation: PasskeyResponse }),
    result: Shape({ id: Id, recovery_codes: RecoveryCodes }),
    errors: ['conflict', 'unauthenticated', 'already_exists'],
    target: ({ name }) => `name=${JSON.stringify(name)}`,
    examples: [
      {
        params: { name: 'Laptop', attestation: '{"id":"KEDetxZcUfinhVi6Za5nZQ","type":"public-key"}' },
        result: { id, recovery_codes: codes },
      },
    ],
    prepare: ({ attestation }, caller) =>
      guardFirst(caller).then(() => passkeys.attest(owner(caller), attestation)),
    handler: async ({ name }, caller, attested) => {
      const added = await factors.addPasskey(owner(caller), name, attested, caller)
      return { id: added.id, recovery_codes: [...added.recovery_codes] }
    },
  }),
  method({
    name: 'factors.rename_passkey',
    summary: 'Rename a passkey',
    effect: 'write',
    claim: 'self',
    params: Shape({ id: Id, name: PasskeyName }),
    result: Type.Null(),
    errors: ['conflict', 'not_found'],
    target: ({ id }) => `id=${id}`,
    examples: [{ params: { id, name: 'Work laptop' }, result: null }],
    handler: async ({ id, name }, caller) => {
      await passkeys.rename(owner(caller), id, name)
      return null
    },
  }),
  method({
    name: 'factors.remove_passkey',
    summary: 'Remove a passkey',
    effect: 'write',
    claim: 'self',
    fresh: true,
    params: Shape({ id: Id }),
    result: Type.Null(),
    errors: ['conflict', 'not_found'],
    examples: [{ params: { id }, result: null }],
    handler: async ({ id }, caller) => {
      await factors.removePasskey(owner(caller), id, caller)
      return null
    },
  }),
  method({
    name: 'factors.renew_recovery_codes',
    summary: 'Create ten new recovery codes; the old ones stop working',
    effect: 'write',
    claim: 'self',
    fresh: true,
    params: Nothing,
    result: Shape({ recovery_codes: RecoveryCodes }),
    errors: ['conflict'],
    examples: [{ params: {}, result: { recovery_codes: codes } }],
    handler: async (_, caller) => ({
      recovery_codes: [...(await factors.renewRecoveryCodes(owner(caller)))],
    }),
  }),
  method({
    name: 'factors.clear',
    summary: 'Remove all second factors and passkeys of a user who lost them; all their sessions end',
    description:
      'For an administrator, this requires proxy.admin. Be sure who is asking you: this removes the protection that factors give.',
    effect: 'write',
    claim: ['proxy.users.write'],
    fresh: true,
    params: Shape({ user: Username }),
    result: Type.Null(),
    errors: ['not_found'],
    examples: [{ params: { user: 'grace' }, result: null }],
    handler: async ({ user }, caller) => {
      const { id } = await guard(user, caller)
      await factors.clear(id, caller)
      return null
    },
  }),
]
