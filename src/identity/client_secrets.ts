import type { Attempts } from '../attempts/attempts.ts'
import { networkOf } from '../contract/networks.ts'
import type { Clients } from '../clients/clients.ts'
import { verifies } from '../clients/client_secrets.ts'
import type { ClientWithCredentials } from '../clients/client.ts'
import { AppError } from '../contract/errors.ts'
import { boundedMap } from '../storage/bounded_map.ts'
import { now } from '../storage/ids.ts'

/** For so long after a wrong secret, every attempt of the client is counted. */
const countingSeconds = 86_400
const maxFailures = 10_000

const wrongSecret = (client: ClientWithCredentials | undefined): AppError => {
  const error = new AppError('unauthenticated', 'Wrong client_id or client_secret')
  error.about = client && `client=${client.client}`
  return error
}

/**
 * Verifies the secrets of clients. Nobody can guess a secret that we generate, but an imported one may be weak. So wrong secrets
 * count like wrong passwords, separately for each network: nobody can lock a program out from another network. As long as no
 * attempt fails, a right secret costs no write.
 */
export class ClientProof {
  readonly #clients: Clients
  readonly #attempts: Attempts
  /** When a client last sent a wrong secret from a network, in Unix seconds, as far as this process knows. */
  readonly #failed = boundedMap<number>(maxFailures)

  constructor(clients: Clients, attempts: Attempts) {
    this.#clients = clients
    this.#attempts = attempts
  }

  /** Returns the client that the secret belongs to. Throws unauthenticated, or rate_limited after too many wrong secrets. */
  async verify(
    clientId: string,
    secret: string,
    address: string | undefined,
  ): Promise<ClientWithCredentials> {
    const client = await this.#clients.find(clientId)
    if (!client || !(await this.check(client, secret, address))) throw wrongSecret(client)
    return client
  }

  /** Verifies the secret again inside the transaction of the change it authorizes. The attempt has been counted before. */
  async again(clientId: string, secret: string): Promise<ClientWithCredentials> {
    const client = await this.#clients.find(clientId)
    if (!client || !verifies(client, secret)) throw wrongSecret(client)
    return client
  }

  /** True if the secret is right and no attempt has to be counted. False means nothing yet: call `check`. */
  isRightAway(client: ClientWithCredentials, secret: string, address: string | undefined): boolean {
    return !this.#failed.has(nameOf(client, address)) && verifies(client, secret)
  }

  /** Like `verify`, for a client that is known; returns whether the secret is right. */
  async check(client: ClientWithCredentials, secret: string, address: string | undefined): Promise<boolean> {
    const name = nameOf(client, address)
    const account = { client: client.client }
    const failedAt = this.#failed.get(name)
    if (failedAt === undefined || failedAt < now() - countingSeconds) {
      // No await between verifying and noting: of any number of parallel attempts, only one is verified before counting begins.
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
