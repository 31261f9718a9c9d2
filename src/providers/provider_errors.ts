import { requestTimeoutSeconds, ProviderFault, type Fault } from './guarded_fetch.ts'

/** The library's codes for responses that fail verification, as opposed to malformed ones. */
const untrusted = new Set([
  'OAUTH_JWT_CLAIM_COMPARISON_FAILED',
  'OAUTH_JWT_TIMESTAMP_CHECK_FAILED',
  'OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED',
  'OAUTH_KEY_SELECTION_FAILED',
  'OAUTH_UNSUPPORTED_OPERATION',
])

interface Thrown extends Error {
  readonly code?: string
  /** RFC 6749 sections 4.1.2.1 and 5.2. */
  readonly error?: string
  readonly error_description?: string
}

/** Makes the provider's text safe for the log. */
const loggable = (text: string | undefined) => (text ?? '').slice(0, 200).replaceAll(/[^\x20-\x7e]/g, '?')

const chain = function* (error: unknown): Generator<Thrown> {
  for (let at = error; at instanceof Error; at = at.cause) yield at as Thrown
}

/** The library exposes only the challenge of a 401 response. RFC 6749 section 5.2 requires one for a wrong client secret. */
const challengesUs = ({ code, cause }: Thrown): boolean =>
  code === 'OAUTH_WWW_AUTHENTICATE_CHALLENGE' &&
  (cause as { scheme?: string; parameters?: { error?: string } }[]).some(
    ({ scheme, parameters }) => scheme === 'basic' || parameters?.error === 'invalid_client',
  )

/** What an error response of the authorization endpoint means (RFC 6749 section 4.1.2.1); all others are shown by their value. */
const faultOfResponse: Readonly<Record<string, Fault>> = {
  access_denied: 'refused',
  temporarily_unavailable: 'busy',
  server_error: 'busy',
  unauthorized_client: 'client',
}

/** The value of `error`, if it is one that a page can show. */
const reportedBy = ({ name, error }: Thrown): string =>
  name === 'AuthorizationResponseError' && /^[a-zA-Z0-9_.-]{1,60}$/.test(error ?? '') ? error! : ''

const kindOf = (error: Thrown): Fault => {
  if (error.name === 'AuthorizationResponseError') return faultOfResponse[error.error ?? ''] ?? 'reported'
  if (error.error === 'invalid_grant') return 'grant'
  if (error.error !== undefined)
    return error.error === 'invalid_client' || error.error === 'unauthorized_client' ? 'client' : 'nonsense'
  if (challengesUs(error)) return 'client'
  if (error.code !== undefined && untrusted.has(error.code)) return 'untrusted'
  // The library has one code for all invalid messages, including an invalid signature.
  for (const { message } of chain(error)) if (/signature|"iss"/.test(message)) return 'untrusted'
  if (error.code === 'OAUTH_TIMEOUT' || error.code === 'OAUTH_ABORT') return 'slow'
  return 'nonsense'
}

/** Turns anything thrown during a call to a provider into a ProviderFault. */
export const asFault = (error: unknown): ProviderFault => {
  for (const cause of chain(error)) if (cause instanceof ProviderFault) return cause
  if (!(error instanceof Error)) return new ProviderFault('nonsense', String(error))
  const thrown = error as Thrown
  const messages = [...chain(error)].map(({ message, error, error_description }) =>
    [message, loggable(error), loggable(error_description)].filter((part) => part !== '').join(' '),
  )
  return new ProviderFault(kindOf(thrown), [...new Set(messages)].join(': '), error, reportedBy(thrown))
}

/** Runs calls to a provider and rejects with ProviderFault, after four seconds at the latest. */
export const withFaults = async <T>(work: () => Promise<T>): Promise<T> => {
  let timer: NodeJS.Timeout | undefined
  const timedOut = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () =>
        reject(new ProviderFault('slow', `the provider took longer than ${requestTimeoutSeconds} seconds`)),
      requestTimeoutSeconds * 1000,
    )
  })
  try {
    return await Promise.race([work(), timedOut])
  } catch (error) {
    throw asFault(error)
  } finally {
    clearTimeout(timer)
  }
}
