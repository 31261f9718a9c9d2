import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import type { Config } from '../config/config.ts'
import type { Log } from '../log/log.ts'
import { isLoopback } from '../wire/cookie_policy.ts'
import { anotherDevice } from './another_device.ts'
import type { Readiness } from './readiness.ts'

/** What one check found. `advice` says what to do, if there is something to do. */
export interface Finding {
  readonly check: string
  readonly level: 'ok' | 'warn' | 'fail'
  readonly text: string
  readonly advice: string | null
}

interface Parts {
  readonly config: Config
  readonly readiness: Pick<Readiness, 'causes'>
  /** The enabled routes at home's host, as people read them: domain and path. */
  readonly routesAtHome: () => Promise<readonly string[]>
  /** The client_ids of applications that every active person may enter. */
  readonly openClients: () => Promise<readonly string[]>
  /** The places where people would ask for access in vain, each with why. */
  readonly vainAskGroups: () => Promise<readonly string[]>
  /** How many registrations wait for somebody to approve them. */
  readonly waitingRegistrations: () => Promise<number>
  /** What the first factor of an account takes. */
  readonly firstFactor: () => Promise<'mail' | 'administrator' | 'proof' | 'no_mail_server'>
  /** From where a phone may sign in another browser. */
  readonly elsewhere: () => Promise<'off' | 'same_network' | 'anywhere'>
  /** How many passkeys were made for each host other than home's. */
  readonly passkeysElsewhere: () => Promise<readonly { readonly rp_id: string; readonly count: number }[]>
}

const firstFactorTakes = {
  mail: 'the first factor of an account takes a code from its mail',
  administrator: 'the first factor of an account takes a link from an administrator',
  proof: 'the first factor of an account takes a fresh proof alone, such as the password',
  no_mail_server:
    'no mail server is set: the first factor of an account takes a fresh proof alone, such as the password',
}

/** Milliseconds in which a name must resolve. */
const patienceMs = 3000

const found = (
  check: string,
  level: Finding['level'],
  text: string,
  advice: string | null = null,
): Finding => ({
  check,
  level,
  text,
  advice,
})

/** The checks of an installation: the start logs what they find, and `hero-proxy doctor` prints it. */
export class Doctor {
  readonly #parts: Parts
  readonly #host: string

  constructor(parts: Parts) {
    this.#parts = parts
    this.#host = new URL(parts.config.public_url).hostname
  }

  /** One finding for each check, always in the same order. */
  async checks(): Promise<Finding[]> {
    const ready = await this.#ready()
    // Without its database there is nothing to say about routes.
    const sharing = ready.level === 'ok' ? await this.#parts.routesAtHome() : []
    const open = ready.level === 'ok' ? await this.#parts.openClients() : []
    const vain = ready.level === 'ok' ? await this.#parts.vainAskGroups() : []
    const waiting = ready.level === 'ok' ? await this.#parts.waitingRegistrations() : 0
    const elsewhere = ready.level === 'ok' ? await this.#parts.passkeysElsewhere() : []
    return [
      ready,
      await this.#homeResolves(),
      this.#homeName(sharing),
      this.#homeSecure(),
      this.#routesAtHome(sharing),
      this.#previousNames(elsewhere),
      this.#clients(open),
      this.#askGroups(vain),
      await this.#firstFactor(ready),
      this.#registrations(waiting),
      await this.#anotherDevice(ready),
      this.#forwardAuth(),
    ]
  }

  /** Logs every finding that is not ok. Never rejects. */
  async warn(log: Log): Promise<void> {
    try {
      for (const { check, level, text, advice } of await this.checks())
        if (level !== 'ok') log.warn({ check, finding: level, advice }, text)
    } catch (error) {
      log.warn({ error: (error as Error).message }, 'the checks of the installation could not be made')
    }
  }

  async #ready(): Promise<Finding> {
    const causes = await this.#parts.readiness.causes()
    if (causes.length === 0) return found('ready', 'ok', '/readyz answers 200')
    return found('ready', 'fail', `/readyz answers 503: ${causes.join('; ')}`, 'Read the log of the daemon')
  }

  async #homeResolves(): Promise<Finding> {
    const check = 'home_resolves'
    if (isIP(this.#host.replace(/^\[|\]$/g, '')) !== 0)
      return found(check, 'ok', `${this.#host} is an address`)
    const advice = 'Add the name to DNS or /etc/hosts, or correct public_url'
    const late = new Promise<'late'>((resolve) => setTimeout(() => resolve('late'), patienceMs).unref())
    try {
      const answer = await Promise.race([lookup(this.#host), late])
      return answer === 'late'
        ? found(check, 'fail', `${this.#host} did not resolve within ${patienceMs} ms`, advice)
        : found(check, 'ok', `${this.#host} resolves to ${answer.address}`)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      return found(check, 'fail', `${this.#host} does not resolve from this machine (${code})`, advice)
    }
  }

  #homeName(sharing: readonly string[]): Finding {
    const check = 'home_name'
    const advice =
      'Give hero_proxy a host name that no service has, such as id.example.org, and set public_url to it'
    if (isIP(this.#host.replace(/^\[|\]$/g, '')) !== 0)
      return found(
        check,
        'warn',
        `public_url has an address instead of a name: passkeys cannot be used`,
        advice,
      )
    if (sharing.length > 0)
      return found(
        check,
        'warn',
        `${this.#host}, the host of public_url, is also the host of a service`,
        advice,
      )
    return found(check, 'ok', `${this.#host} belongs to hero_proxy alone`)
  }

  async #firstFactor({ level }: Finding): Promise<Finding> {
    const takes = level === 'ok' ? await this.#parts.firstFactor() : 'proof'
    return found('first_factor', 'ok', firstFactorTakes[takes])
  }

  #registrations(waiting: number): Finding {
    const check = 'registrations'
    if (waiting === 0) return found(check, 'ok', 'nobody waits for approval')
    return found(
      check,
      'warn',
      `registrations that wait for approval: ${waiting}`,
      'hero-proxy call registrations.list, then registrations.approve or registrations.refuse',
    )
  }

  #homeSecure(): Finding {
    const check = 'home_secure'
    const { protocol } = new URL(this.#parts.config.public_url)
    if (protocol === 'https:') return found(check, 'ok', 'people reach home by https')
    if (isLoopback(this.#host)) return found(check, 'ok', 'people reach home from this machine only')
    return found(
      check,
      'warn',
      'public_url is http: passwords cross the network unencrypted, browsers refuse passkeys and Secure cookies, and nobody can trust a browser',
      'Give hero_proxy a certificate (tls_cert or acme_directory), or put a TLS proxy in front, and set public_url to https',
    )
  }

  #routesAtHome(sharing: readonly string[]): Finding {
    const check = 'routes_at_home'
    if (sharing.length === 0) return found(check, 'ok', 'no route shares the host of public_url')
    return found(
      check,
      'warn',
      `these routes share the host of public_url, so that their pages can do all that the person can: ${sharing.join(', ')}`,
      'Give each service a host of its own',
    )
  }

  #clients(open: readonly string[]): Finding {
    const check = 'clients'
    if (open.length === 0) return found(check, 'ok', 'every application says who may enter')
    return found(
      check,
      'warn',
      `every active person may sign in to these applications: ${open.join(', ')}`,
      'If that is not meant, give them required_claims: hero-proxy call clients.update',
    )
  }

  #askGroups(vain: readonly string[]): Finding {
    const check = 'ask_groups'
    if (vain.length === 0) return found(check, 'ok', 'every ask_group opens the place that names it')
    return found(
      check,
      'warn',
      `people would ask in vain for access to: ${vain.join(', ')}`,
      'Correct ask_group, or give the group a claim of required_claims',
    )
  }

  #previousNames(elsewhere: readonly { readonly rp_id: string; readonly count: number }[]): Finding {
    const check = 'previous_names'
    const hosts = this.#parts.config.previous_public_urls.map((url) => new URL(url).hostname)
    const counts = new Map(elsewhere.map(({ rp_id, count }) => [rp_id, count]))
    const lost = elsewhere.filter(({ rp_id }) => !hosts.includes(rp_id))
    if (lost.length > 0)
      return found(
        check,
        'warn',
        `these passkeys cannot be used, because their hosts are in neither public_url nor previous_public_urls: ${lost.map(({ rp_id, count }) => `${count} of ${rp_id}`).join(', ')}`,
        'List the earlier public URL in previous_public_urls, or remove these passkeys',
      )
    if (hosts.length === 0) return found(check, 'ok', 'no passkey depends on an earlier public URL')
    return found(
      check,
      'warn',
      `passkeys that depend on the hosts of earlier public URLs: ${[...new Set(hosts)].map((host) => `${counts.get(host) ?? 0} on ${host}`).join(', ')}`,
      'Remove the URL from previous_public_urls before its domain is given up; the next owner of the domain could ask for these passkeys',
    )
  }

  async #anotherDevice({ level }: Finding): Promise<Finding> {
    const { config, elsewhere } = this.#parts
    const allowed = level === 'ok' ? await elsewhere() : 'off'
    return found('another_device', ...anotherDevice(config, allowed))
  }

  #forwardAuth(): Finding {
    const check = 'forward_auth'
    const { trusted_proxies, forward_auth_from } = this.#parts.config
    if (forward_auth_from.length > 0)
      return found(check, 'ok', `these proxies may ask by forward auth: ${forward_auth_from.join(', ')}`)
    if (trusted_proxies.length === 0) return found(check, 'ok', 'no proxy stands in front')
    return found(
      check,
      'warn',
      'trusted_proxies is set and forward_auth_from is not: /auth/forward answers 403 to every proxy',
      'If a proxy asks by forward auth, list its address in forward_auth_from; if none does, all is well',
    )
  }
}
