import { shownName } from '../contract/names.ts'
import type { AuthenticationResponseJSON, RegistrationResponseJSON } from '@simplewebauthn/server'
import { AppError, alreadyExists, conflict, notFound } from '../contract/errors.ts'
import type { Database } from '../storage/database.ts'
import { newId, now } from '../storage/ids.ts'
import type { Challenges } from './challenges.ts'
import { RpIds, type RelyingParty } from './rp_ids.ts'

/** A verified response of an authenticator, until it is used. */
export interface PasskeyAssertion {
  readonly user_id: string
  readonly id: string
  readonly counter: number
  readonly challenge: string
}

/** A verified new credential, until it is stored. */
export interface NewPasskey {
  readonly credential_id: string
  readonly public_key: string
  readonly counter: number
  /** The name for which it was made. */
  readonly rp_id: string
  readonly synced: boolean
  readonly challenge: string
}

const maxPasskeys = 20

/** Takes half a second to load, so load it with the first passkey. */
const webauthn = () => import('@simplewebauthn/server')

export const passkeyRefused = () =>
  new AppError('unauthenticated', 'This passkey was not accepted', { reason: 'passkey_refused' })

const tooMany = () =>
  conflict(`There are ${maxPasskeys} passkeys already: remove one first`, {
    reason: 'too_many_passkeys',
    most: maxPasskeys,
  })

/** The WebAuthn user handle (section 5.4.3): the id, which reveals nothing about the user. */
const handleOf = (userId: string) => Buffer.from(userId).toString('base64url')

/** Parses `PublicKeyCredential.toJSON()`, with only the members that are used. */
const parse = (
  json: string,
): { readonly id: string; readonly challenge: string; readonly response: never } => {
  try {
    const { id, rawId, type, response, clientExtensionResults = {} } = JSON.parse(json)
    const { challenge } = JSON.parse(Buffer.from(response.clientDataJSON, 'base64url').toString('utf8'))
    if (typeof id !== 'string' || id !== rawId || typeof challenge !== 'string') throw passkeyRefused()
    return { id, challenge, response: { id, rawId, type, response, clientExtensionResults } as never }
  } catch {
    throw passkeyRefused()
  }
}

/**
 * Passkeys: key pairs of which we store the public half. The authenticator verifies its user every time, so a passkey
 * is enough to sign in.
 */
export class Passkeys {
  readonly #database: Database
  readonly #challenges: Challenges
  readonly #party: RelyingParty
  readonly rpIds: RpIds

  constructor(database: Database, challenges: Challenges, party: RelyingParty) {
    this.#database = database
    this.#challenges = challenges
    this.#party = party
    this.rpIds = new RpIds(database, party)
  }

  /** The options with which a browser creates a passkey (PublicKeyCredentialCreationOptionsJSON). */
  async creationOptions(user: { id: string; username: string; display_name: string }) {
    const existing = await this.list(user.id)
    if (existing.length >= maxPasskeys) throw tooMany()
    return {
      challenge: this.#challenges.issue(`add ${user.id}`),
      rp: { id: await this.rpIds.current(), name: await this.#party.name() },
      user: { id: handleOf(user.id), name: user.username, displayName: user.display_name },
      pubKeyCredParams: [-8, -7, -257].map((alg) => ({ type: 'public-key', alg })),
      timeout: 300_000,
      attestation: 'none',
      authenticatorSelection: {
        residentKey: 'required',
        requireResidentKey: true,
        userVerification: 'required',
      },
      excludeCredentials: existing.map(({ credential_id }) => ({ type: 'public-key', id: credential_id })),
    }
  }

  /** The options with which a browser uses a passkey of any user (PublicKeyCredentialRequestOptionsJSON). */
  requestOptions(purpose: string, rpId: string) {
    return {
      challenge: this.#challenges.issue(purpose),
      rpId,
      timeout: 300_000,
      userVerification: 'required',
      allowCredentials: [],
    }
  }

  /** Verifies a new credential; throws unauthenticated. Stores nothing yet. */
  async attest(userId: string, json: string): Promise<NewPasskey> {
    const { challenge, response } = parse(json)
    const rp_id = await this.rpIds.current()
    const { verifyRegistrationResponse } = await webauthn()
    const { verified, registrationInfo } = await verifyRegistrationResponse({
      response: response as RegistrationResponseJSON,
      expectedChallenge: (given) => given === challenge && this.#challenges.isFor(given, `add ${userId}`),
      expectedOrigin: this.#party.origin,
      expectedRPID: rp_id,
      requireUserVerification: true,
    }).catch(() => ({ verified: false as const, registrationInfo: undefined }))
    if (!verified || !registrationInfo) throw passkeyRefused()
    const { credential, credentialBackedUp } = registrationInfo
    return {
      credential_id: credential.id,
      public_key: Buffer.from(credential.publicKey).toString('base64url'),
      counter: credential.counter,
      rp_id,
      synced: credentialBackedUp,
      challenge,
    }
  }

  /** Stores a verified credential, inside a transaction. */
  async add(userId: string, name: string, { challenge, synced, ...key }: NewPasskey): Promise<string> {
    await this.#challenges.spend(challenge)
    if ((await this.list(userId)).length >= maxPasskeys) throw tooMany()
    const { query } = this.#database
    const taken = query.selectFrom('passkeys').select('id').where('credential_id', '=', key.credential_id)
    if (await taken.executeTakeFirst()) throw alreadyExists('passkey', 'attestation')
    const id = newId()
    const row = { id, user_id: userId, name, ...key, synced: synced ? (1 as const) : (0 as const) }
    await query
      .insertInto('passkeys')
      .values({ ...row, created_at: now(), last_used_at: null })
      .execute()
    await this.rpIds.keep(key.rp_id)
    return id
  }

  /**
   * Verifies a response and returns the passkey's user; throws unauthenticated. Marks nothing as used yet. `host` is where the
   * browser was asked: home, or the host of an earlier public URL, which may ask for its own passkeys only.
   */
  async assert(json: string, purpose: string, host: string = this.#party.host): Promise<PasskeyAssertion> {
    const { id, challenge, response } = parse(json)
    const row = await this.#database.query
      .selectFrom('passkeys')
      .selectAll()
      .where('credential_id', '=', id)
      .executeTakeFirst()
    if (!row || !this.#challenges.isFor(challenge, purpose)) throw passkeyRefused()
    const isHome = host === this.#party.host
    if (isHome ? !this.rpIds.isOurs(row.rp_id) : row.rp_id !== host) throw passkeyRefused()
    const answer = response as AuthenticationResponseJSON
    const { userHandle } = answer.response
    if (userHandle !== undefined && userHandle !== null && userHandle !== handleOf(row.user_id))
      throw passkeyRefused()
    const { verifyAuthenticationResponse } = await webauthn()
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response: answer,
      expectedChallenge: (given) => given === challenge,
      expectedOrigin: isHome ? this.#party.origin : [...(this.#party.previous.get(host) ?? [])],
      expectedRPID: row.rp_id,
      credential: { id, publicKey: Buffer.from(row.public_key, 'base64url'), counter: row.counter },
      requireUserVerification: true,
    }).catch(() => ({ verified: false as const, authenticationInfo: undefined }))
    if (!verified || !authenticationInfo) throw passkeyRefused()
    return { user_id: row.user_id, id: row.id, counter: authenticationInfo.newCounter, challenge }
  }

  /**
   * Marks a response as used, inside the transaction of what it allows. A counter that did not rise means a cloned
   * authenticator (section 6.1.1).
   */
  async use({ id, counter, challenge }: PasskeyAssertion): Promise<void> {
    await this.#challenges.spend(challenge)
    const { numUpdatedRows } = await this.#database.query
      .updateTable('passkeys')
      .set({ counter, last_used_at: now() })
      .where('id', '=', id)
      // Authenticators without a counter always report 0.
      .where('counter', counter === 0 ? '=' : '<', counter)
      .executeTakeFirst()
    if (numUpdatedRows !== 1n) throw passkeyRefused()
  }

  list(userId: string) {
    return this.#database.query
      .selectFrom('passkeys')
      .selectAll()
      .where('user_id', '=', userId)
      .orderBy('id')
      .execute()
  }

  /** Returns the passkeys of a user as people see them. */
  async described(userId: string) {
    return (await this.list(userId)).map(({ id, name, rp_id, synced, created_at, last_used_at }) => ({
      id,
      name: shownName(name),
      rp_id,
      synced: synced === 1,
      created_at,
      last_used_at,
    }))
  }

  async rename(userId: string, id: string, name: string): Promise<void> {
    const { numUpdatedRows } = await this.#database.query
      .updateTable('passkeys')
      .set({ name })
      .where('id', '=', id)
      .where('user_id', '=', userId)
      .executeTakeFirst()
    if (numUpdatedRows !== 1n) throw notFound('passkey', id)
  }

  async remove(userId: string, id: string): Promise<string> {
    const row = (await this.list(userId)).find((key) => key.id === id)
    if (!row) throw notFound('passkey', id)
    await this.#database.query.deleteFrom('passkeys').where('id', '=', id).execute()
    return row.name
  }
}
