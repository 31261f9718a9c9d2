import { patience, ProviderFault, type Fault } from './guarded_fetch.ts'

/** The library's codes for what it was told wrongly, beside what it could not read. */
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

/** Words of a provider's, for the log. */
const word = (text: string | undefined) => (text ?? '').slice(0, 200).replaceAll(/[^\x20-\x7e]/g, '?')

const chain = function* (error: unknown): Generator<Thrown> {
  for (let at = error; at instanceof Error; at = at.cause) yield at as Thrown
}

/** The library tells no more of an answer than its challenge, which one to a client with a wrong secret has to have (RFC 6749 section 5.2). */
const challengesUs = ({ code, cause }: Thrown): boolean =>
  code === 'OAUTH_WWW_AUTHENTICATE_CHALLENGE' &&
  (cause as { scheme?: string; parameters?: { error?: string } }[]).some(
    ({ scheme, parameters }) => scheme === 'basic' || parameters?.error === 'invalid_client',
  )

const kindOf = (error: Thrown): Fault => {
  if (error.name === 'AuthorizationResponseError') return 'refused'
  if (error.error === 'invalid_grant') return 'grant'
  if (error.error !== undefined)
    return error.error === 'invalid_client' || error.error === 'unauthorized_client' ? 'client' : 'nonsense'
  if (challengesUs(error)) return 'client'
  if (error.code !== undefined && untrusted.has(error.code)) return 'untrusted'
  // The library has one code for all that is wrong with a message, an invalid signature among it.
  for (const { message } of chain(error)) if (/signature|"iss"/.test(message)) return 'untrusted'
  if (error.code === 'OAUTH_TIMEOUT' || error.code === 'OAUTH_ABORT') return 'slow'
  return 'nonsense'
}

/** What went wrong at a provider, by whatever it was thrown. */
export const asFault = (error: unknown): ProviderFault => {
  for (const cause of chain(error)) if (cause instanceof ProviderFault) return cause
  if (!(error instanceof Error)) return new ProviderFault('nonsense', String(error))
  const thrown = error as Thrown
  const told = [...chain(error)].map(({ message, error, error_description }) =>
    [message, word(error), word(error_description)].filter((part) => part !== '').join(' '),
  )
  return new ProviderFault(kindOf(thrown), [...new Set(told)].join(': '), error)
}

/** Does something at a provider: rejects with ProviderFault, after four seconds at the latest however many steps it takes. */
export const toFault = async <T>(work: () => Promise<T>): Promise<T> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new ProviderFault('slow', `no end within ${patience} seconds`)),
      patience * 1000,
    )
  })
  try {
    return await Promise.race([work(), late])
  } catch (error) {
    throw asFault(error)
  } finally {
    clearTimeout(timer)
  }
}
