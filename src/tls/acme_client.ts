import { generateKeyPairSync } from 'node:crypto'
import type { Certificates } from './certificates.ts'

/** An authority that does not answer in this time has failed. */
const requestTimeoutMs = 30_000

const newKey = (): string =>
  generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
    type: 'pkcs8',
    format: 'pem',
  }) as string

/** A certificate authority that speaks ACME (RFC 8555). */
export class Authority {
  readonly #directory: string
  readonly #email: string
  readonly #certificates: Certificates

  constructor(directory: string, email: string, certificates: Certificates) {
    this.#directory = directory
    this.#email = email
    this.#certificates = certificates
  }

  /** Orders a certificate for one name and stores it. Rejects with the message of the authority. */
  async order(domain: string): Promise<void> {
    // Loaded when it is first needed: it is large, and most installations never order a certificate.
    const { default: acme } = await import('acme-client')
    acme.axios.defaults.timeout = requestTimeoutMs
    const certificates = this.#certificates
    const account = await certificates.account(this.#directory, async () => newKey())
    const client = new acme.Client({
      directoryUrl: this.#directory,
      accountKey: account.key,
      ...(account.url !== '' && { accountUrl: account.url }),
      backoffAttempts: 10,
      backoffMin: 1000,
      backoffMax: 15_000,
    })
    const key = newKey()
    const [, request] = await acme.crypto.createCsr({ commonName: domain, altNames: [domain] }, key)
    const chain = await client.auto({
      csr: request,
      email: this.#email,
      termsOfServiceAgreed: true,
      challengePriority: ['http-01'],
      // The check of acme-client would connect to port 80 of the name from here, where the name may be unreachable.
      skipChallengeVerification: true,
      challengeCreateFn: (_, { token }, answer) => certificates.addChallenge(token, answer),
      challengeRemoveFn: (_, { token }) => certificates.removeChallenge(token),
    })
    if (account.url === '') await certificates.keepAccountUrl(this.#directory, client.getAccountUrl())
    await certificates.keep(domain, chain, key)
  }
}
