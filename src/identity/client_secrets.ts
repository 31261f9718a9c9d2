import type { Attempts } from '../attempts/attempts.ts'
import { networkOf } from '../contract/networks.ts'
import type { Clients } from '../clients/clients.ts'
import { verifies } from '../clients/client_secrets.ts'
import type { ClientWithCredentials } from '../clients/client.ts'
import { AppError } from '../contract/errors.ts'
import { boundedMap } from '../storage/bounded_map.ts'
import { now } from '../storage/ids.ts'

/** Seconds for which a client whose secret was wrong is asked for it with care. */
const wary = 86_400
const keep = 10_000

const wrong = (client: ClientWithCredentials | undefined): AppError => {
  const error = new AppError('unauthenticated', 'Wrong client_id or client_secret')
  error.about = client && `client=${client.client}`
  return error
}

/**
 * Whether a program knows its secret. Secrets that we make cannot be guessed, those that came from elsewhere perhaps; so wrong ones
 * count like wrong passwords, from each network apart: nobody can lock a program out from elsewhere. As long as none was wrong, a
 * right one costs no write.
 */
export class ClientProof {
  readonly #clients: Clients
  readonly #attempts: Attempts
  /** Clients and networks from where a secret was wrong not long ago, as far as this process knows, and when. */
  readonly #failed = boundedMap<number>(keep)

  constructor(clients: Clients, attempts: Attempts) {
    this.#clients = clients
    this.#attempts = attempts
  }

  /** The client that a secret is of; throws unauthenticated, or rate_limited after too many wrong ones. */
  async verify(
    clientId: string,
    secret: string,
    address: string | undefined,
  ): Promise<ClientWithCredentials> {
    const client = await this.#clients.find(clientId)
    if (!client || !(await this.check(client, secret, address))) throw wrong(client)
    return client
  }

  /** The same once more, as things stand for the change that is made by it: inside a transaction, and counted before. */
  async again(clientId: string, secret: string): Promise<ClientWithCredentials> {
    const client = await this.#clients.find(clientId)
    if (!client || !verifies(client, secret)) throw wrong(client)
    return client
  }

  /** Whether it is the right secret and nothing speaks against looking: false says nothing yet, `check` has to be asked. */
  isRightAway(client: ClientWithCredentials, secret: string, address: string | undefined): boolean {
    return !this.#failed.has(nameOf(client, address)) && verifies(client, secret)
  }

  /** The same where the client is known. */
  async check(client: ClientWithCredentials, secret: string, address: string | undefined): Promise<boolean> {
    const name = nameOf(client, address)
    const account = { client: client.client }
    const failedAt = this.#failed.get(name)
    if (failedAt === undefined || failedAt < now() - wary) {
      // Nothing is waited for between looking and noting: of any number at once, one is looked at before the care begins.
      if (verifies(client, secret)) return true
      this.#note(name)
      await this.#attempts.count(account, address)
      return false
    }
    const counted = await this.#attempts.count(account, address)
    if (!verifies(client, secret)) {
      this.#note(name)
      return false
    }
    await this.#attempts.succeeded(counted)
    this.#failed.delete(name)
    return true
  }

  #note(name: string): void {
    this.#failed.set(name, now())
  }
}

const nameOf = ({ client }: ClientWithCredentials, address: string | undefined): string =>
  `${client} ${networkOf(address)}`
