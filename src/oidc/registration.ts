import type { Audit } from '../audit/audit.ts'
import type { Caller } from '../contract/caller.ts'
import type { DynamicClients } from '../clients/registered_clients.ts'
import type { RegistrationTokens } from '../clients/registration_tokens.ts'
import { networkOf } from '../contract/networks.ts'
import { AppError } from '../contract/errors.ts'
import type { Database } from '../storage/database.ts'
import { readRegistration, toRegistered } from './registration_request.ts'

export type RegistrationMode = 'off' | 'token' | 'open'

interface Parts {
  readonly database: Database
  readonly audit: Audit
  readonly dynamicClients: DynamicClients
  readonly tokens: RegistrationTokens
  readonly mode: () => Promise<RegistrationMode>
}

interface Answer {
  readonly status: number
  readonly body: object
  readonly headers?: Readonly<Record<string, string>>
}

const refusal = (status: number, error: string, error_description: string, headers = {}): Answer => ({
  status,
  body: { error, error_description },
  headers,
})

/** RFC 6750 section 3: a request without a token gets no error code in the challenge. */
const tokenWanted = (given: string | undefined): Answer =>
  refusal(401, 'invalid_token', 'an initial access token from an administrator is required', {
    'www-authenticate': given === undefined ? 'Bearer' : 'Bearer error="invalid_token"',
  })

/** Dynamic client registration (RFC 7591), as the setting client_registration allows it. */
export class Registrations {
  readonly #parts: Parts

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** Answers the registration endpoint, or returns undefined while registration is off. `token` is the bearer token of the request. */
  async register(text: string, token: string | undefined, caller: Caller): Promise<Answer | undefined> {
    const { mode, tokens } = this.#parts
    const currentMode = await mode()
    if (currentMode === 'off') return undefined
    if (currentMode === 'token' && !(token !== undefined && (await tokens.isValid(token))))
      return tokenWanted(token)
    const given = parse(text)
    if (!given)
      return refusal(400, 'invalid_client_metadata', 'the body must be a JSON object of client metadata')
    try {
      return await this.#add(given, currentMode === 'token' ? token : undefined, caller)
    } catch (error) {
      if (error instanceof AppError) return explained(error)
      throw error
    }
  }

  async #add(given: Record<string, unknown>, token: string | undefined, caller: Caller): Promise<Answer> {
    const { database, audit, dynamicClients, tokens } = this.#parts
    const wanted = readRegistration(given)
    return database.write(async () => {
      // Another request may have taken the token's last use since the first check.
      if (token !== undefined && !(await tokens.use(token))) return tokenWanted(token)
      const network = networkOf(caller.address) ?? ''
      const { client_secret, ...client } = await dynamicClients.add(wanted.fields, network)
      await audit.append(caller, 'oidc.register', `client=${client.client}`, 'ok')
      return { status: 201, body: toRegistered(client, wanted, client_secret) }
    })
  }
}

const parse = (text: string): Record<string, unknown> | undefined => {
  try {
    const value = JSON.parse(text) as unknown
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isObject ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

/** RFC 7591 section 3.2.2. */
const explained = ({ error, message, data }: AppError): Answer => {
  if (error === 'rate_limited')
    return refusal(429, 'temporarily_unavailable', message, { 'retry-after': String(data.retry_after) })
  if (error !== 'invalid_params') return refusal(503, 'temporarily_unavailable', message)
  const { path, allowed } = data as unknown as { path: string; allowed: string }
  const code = path.startsWith('redirect_uris') ? 'invalid_redirect_uri' : 'invalid_client_metadata'
  return refusal(400, code, `${path}: ${allowed}`)
}
