import { refuseByAnotherDevice, refuseWhileImpersonating, type Caller } from '../../contract/caller.ts'
import { conflict } from '../../contract/errors.ts'
import { freshForSeconds, proofRequired } from '../../contract/fresh_proof.ts'
import { nothingProved, provedAt } from '../../contract/proofs.ts'
import type { SettingValues } from '../../settings/definitions.ts'
import type { Database } from '../../storage/database.ts'
import { isPrivate, nearness, type Nearness } from './network_rule.ts'

/** Where a device is, seen from the other one, and whether the setting lets it go on. */
export interface Reach {
  readonly network: Nearness
  readonly may: boolean
}

/** A person at their own phone, signed in there by a proof of their own. */
interface Phone {
  readonly user_id: string
  readonly session_id: string
}

const phoneOf = (caller: Caller): Phone => {
  refuseWhileImpersonating(caller)
  refuseByAnotherDevice(caller, 'elsewhere_weak')
  const { user_id, session_id } = caller
  if (user_id === undefined || session_id === undefined)
    throw conflict('This call was made without a session')
  return { user_id, session_id }
}

/** Who may take part when one device signs in another, judged anew at each step. */
export class ElsewhereAdmission {
  readonly #database: Database
  readonly #allowed: () => Promise<SettingValues['elsewhere']>

  constructor(database: Database, allowed: () => Promise<SettingValues['elsewhere']>) {
    this.#database = database
    this.#allowed = allowed
  }

  /** Throws while the setting does not allow it, and for a caller whose own address nobody knows. */
  async admit({ via, located = false, address = '' }: Caller): Promise<void> {
    const allowed = await this.#allowed()
    if (allowed === 'off')
      throw conflict('Signing in with another device is turned off', { reason: 'elsewhere_off' })
    const anywhere = allowed === 'anywhere'
    // A program on this machine has no address: it is in no network.
    if (via === 'socket' ? anywhere : located && (anywhere || !isPrivate(address))) return
    throw conflict('The network address of the caller is not surely its own', { reason: 'elsewhere_unsure' })
  }

  /** Throws unless this caller may approve: by a fresh proof, which is a factor for a person who has one. */
  async phone(caller: Caller, at: number): Promise<Phone> {
    const phone = phoneOf(caller)
    await this.admit(caller)
    const { has_factor } = await this.#database.query
      .selectFrom('users')
      .select('has_factor')
      .where('id', '=', phone.user_id)
      .executeTakeFirstOrThrow()
    const proof = has_factor === 1 ? 'second' : 'any'
    if (provedAt(caller.proofs ?? nothingProved, proof, at) + freshForSeconds <= at)
      throw proofRequired({ proof, proof_age: freshForSeconds })
    return phone
  }

  /** Whether two devices are near enough. */
  async reach(address: string, { address: own = '' }: Caller): Promise<Reach> {
    const network = nearness(address, own)
    return { network, may: network === 'same' || (await this.#allowed()) === 'anywhere' }
  }
}
