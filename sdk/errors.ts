/** The error names for programs, as in `error.data.code` of JSON-RPC. */
export type ErrorCode =
  | 'parse_error'
  | 'invalid_request'
  | 'method_not_found'
  | 'invalid_params'
  | 'internal_error'
  | 'unauthenticated'
  | 'factor_required'
  | 'proof_required'
  | 'claim_required'
  | 'not_found'
  | 'already_exists'
  | 'conflict'
  | 'session_changed'
  | 'rate_limited'
  | 'unavailable'

/** An error that hero_proxy returned. `code` is its name, `number` the JSON-RPC code, and `data` holds further details. */
export class HeroError extends Error {
  readonly code: ErrorCode
  readonly number: number
  readonly data: Readonly<Record<string, unknown>>

  constructor(
    message: string,
    code: ErrorCode,
    number: number,
    data: Readonly<Record<string, unknown>> = {},
  ) {
    super(message)
    this.name = new.target.name
    this.code = code
    this.number = number
    this.data = data
  }
}

/** A parameter is invalid: `path` names the field, and `allowed` says what is allowed. */
export class InvalidParams extends HeroError {
  get path(): string {
    return String(this.data.path ?? '')
  }
  get allowed(): string {
    return String(this.data.allowed ?? '')
  }
}

export class Unauthenticated extends HeroError {
  /** The HTTP status for services that pass this error on. */
  readonly status = 401
}

export class ClaimRequired extends HeroError {
  readonly status = 403
  /** Claims, any one of which would have been sufficient. */
  get claims(): readonly string[] {
    return Array.isArray(this.data.claims) ? (this.data.claims as string[]) : []
  }
}

/** The password or link is valid. Continue with `signIn` at auth.login_by_code within five minutes. */
export class FactorRequired extends HeroError {
  get signIn(): string {
    return String(this.data.sign_in ?? '')
  }
  /** Any of totp, passkey, recovery. */
  get factors(): readonly string[] {
    return Array.isArray(this.data.factors) ? (this.data.factors as string[]) : []
  }
}

/** The last proof of identity in this session is too old: call auth.prove, then retry. */
export class ProofRequired extends HeroError {
  readonly status = 403
}

export class NotFound extends HeroError {}
export class AlreadyExists extends HeroError {}
export class Conflict extends HeroError {}

export class RateLimited extends HeroError {
  /** Seconds to wait. */
  get retryAfter(): number {
    return Number(this.data.retry_after ?? 1)
  }
}

/** Somebody else has signed in since in this browser, so nothing was changed. Reload the page. */
export class SessionChanged extends HeroError {}

export class Unavailable extends HeroError {}

/** No answer: the daemon is not running, has ended in the middle, or took longer than the time limit of the call. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError'
}

const classes: Partial<Record<ErrorCode, typeof HeroError>> = {
  invalid_params: InvalidParams,
  unauthenticated: Unauthenticated,
  factor_required: FactorRequired,
  proof_required: ProofRequired,
  claim_required: ClaimRequired,
  not_found: NotFound,
  already_exists: AlreadyExists,
  conflict: Conflict,
  session_changed: SessionChanged,
  rate_limited: RateLimited,
  unavailable: Unavailable,
}

interface WireError {
  readonly code: number
  readonly message: string
  readonly data?: { readonly code?: string }
}

/** Converts the error of a JSON-RPC response to the class for its name. */
export const toHeroError = ({ code, message, data }: WireError): HeroError => {
  const name = (data?.code ?? 'internal_error') as ErrorCode
  const known = Object.hasOwn(classes, name) ? classes[name] : undefined
  return new (known ?? HeroError)(message, name, code, data)
}
