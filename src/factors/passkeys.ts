import { shownName } from '../contract/names.ts'
import type { AuthenticationResponseJSON, RegistrationResponseJSON } from '@simplewebauthn/server'
import { alreadyExists, conflict, notFound } from '../contract/errors.ts'
import type { Database } from '../storage/database.ts'
import { newId, now } from '../storage/ids.ts'
import { bit } from '../storage/schema.ts'
import type { Challenges } from './challenges.ts'
import { parse, passkeyRefused } from './passkey_answers.ts'
import { RpIds, type RelyingParty } from './rp_ids.ts'

/** A verified response of an authenticator, until it is used. */
export interface PasskeyAssertion {
  readonly user_id: string
  readonly id: string
  readonly counter: number
  readonly challenge: string
  /** Whether the key verified its user, by PIN or body. Only then is it more than a second factor. */
  readonly verified_user: boolean
}

/** A verified new credential, until it is stored. */
export interface NewPasskey {
  readonly credential_id: string
  readonly public_key: string
  readonly counter: number
  /** The name for which it was made. */
  readonly rp_id: string
  readonly synced: boolean
  readonly verifies_user: boolean
  readonly challenge: string
}

const maxPasskeys = 20

/** Takes half a second to load, so load it with the first passkey. */
const webauthn = () => import('@simplewebauthn/server')

const tooMany = () =>
  conflict(`There are ${maxPasskeys} passkeys already: remove one first`, {
    reason: 'too_many_passkeys',
    most: maxPasskeys,
  })

/** The WebAuthn user handle (section 5.4.3): the id, which reveals nothing about the user. */
const handleOf = (userId: string) => Buffer.from(userId).toString('base64url')

/**
 * Passkeys and security keys: key pairs of which we store the public half. One that verifies its user is enough to sign
 * in; any other is a second factor.
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
        // A key without PIN or storage (U2F) is a second factor. Others make a passkey that signs in alone.
        residentKey: 'preferred',
        requireResidentKey: false,
        userVerification: 'preferred',
      },
      excludeCredentials: existing.map(({ credential_id }) => ({ type: 'public-key', id: credential_id })),
    }
  }

  /**
   * The options with which a browser uses a passkey (PublicKeyCredentialRequestOptionsJSON): of any user, who signs in with it
   * alone, or one of this user's keys as a second factor. A key without storage has to be named.
   */
  async requestOptions(purpose: string, rpId: string, userId?: string) {
    const keys = userId === undefined ? [] : await this.list(userId)
    return {
      challenge: this.#challenges.issue(purpose),
      rpId,
      timeout: 300_000,
      userVerification: userId === undefined ? 'required' : 'preferred',
      allowCredentials: keys
        .filter(({ rp_id }) => rp_id === rpId)
        .map(({ credential_id: id }) => ({ type: 'public-key', id })),
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
      requireUserVerification: false,
    }).catch(() => ({ verified: false as const, registrationInfo: undefined }))
    if (!verified || !registrationInfo) throw passkeyRefused()
    const { credential, credentialBackedUp, userVerified } = registrationInfo
    return {
      credential_id: credential.id,
      public_key: Buffer.from(credential.publicKey).toString('base64url'),
      counter: credential.counter,
      rp_id,
      synced: credentialBackedUp,
      verifies_user: userVerified,
      challenge,
    }
  }

  /** Stores a verified credential, inside a transaction. */
  async add(
    userId: string,
    name: string,
    { challenge, synced, verifies_user, ...key }: NewPasskey,
  ): Promise<string> {
    await this.#challenges.spend(challenge)
    if ((await this.list(userId)).length >= maxPasskeys) throw tooMany()
    const { query } = this.#database
    const taken = query.selectFrom('passkeys').select('id').where('credential_id', '=', key.credential_id)
    if (await taken.executeTakeFirst()) throw alreadyExists('passkey', 'attestation')
    const id = newId()
    const flags = { synced: bit(synced), verifies_user: bit(verifies_user) }
    const row = { id, user_id: userId, name, ...key, ...flags }
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
      requireUserVerification: false,
    }).catch(() => ({ verified: false as const, authenticationInfo: undefined }))
    if (!verified || !authenticationInfo) throw passkeyRefused()
    const { newCounter: counter, userVerified: verified_user } = authenticationInfo
    return { user_id: row.user_id, id: row.id, counter, challenge, verified_user }
  }

  /**
   * Marks a response as used, inside the transaction of what it allows. A counter that did not rise means a cloned
   * authenticator (section 6.1.1).
   */
  async use({ id, counter, challenge, verified_user }: PasskeyAssertion): Promise<void> {
    await this.#challenges.spend(challenge)
    const { numUpdatedRows } = await this.#database.query
      .updateTable('passkeys')
      // A key can get a PIN later.
      .set({ counter, last_used_at: now(), ...(verified_user && { verifies_user: 1 }) })
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
    return (await this.list(userId)).map(
      ({ id, name, rp_id, synced, verifies_user, created_at, last_used_at }) => ({
        id,
        name: shownName(name),
        rp_id,
        synced: synced === 1,
        verifies_user: verifies_user === 1,
        created_at,
        last_used_at,
      }),
    )
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
