/** The names that programs switch on, as in `error.data.code` of JSON-RPC. */
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
  | 'rate_limited'
  | 'unavailable'

/** An answer of hero_proxy that is an error. `code` is its name, `number` the JSON-RPC code, `data` what else it told. */
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

/** A parameter is wrong: `path` names the field, `allowed` says what would be right. */
export class InvalidParams extends HeroError {
  get path(): string {
    return String(this.data.path ?? '')
  }
  get allowed(): string {
    return String(this.data.allowed ?? '')
  }
}

export class Unauthenticated extends HeroError {
  /** The HTTP status a service answers with when it passes this on. */
  readonly status = 401
}

export class ClaimRequired extends HeroError {
  readonly status = 403
  /** Claims of which any would have sufficed. */
  get claims(): readonly string[] {
    return Array.isArray(this.data.claims) ? (this.data.claims as string[]) : []
  }
}

/** The password or link was right; go on with `signIn` at auth.login_by_code, within five minutes. */
export class FactorRequired extends HeroError {
  get signIn(): string {
    return String(this.data.sign_in ?? '')
  }
  /** Any of totp, passkey, recovery. */
  get factors(): readonly string[] {
    return Array.isArray(this.data.factors) ? (this.data.factors as string[]) : []
  }
}

/** Too long ago that this session's person proved themselves: call auth.prove, then try again. */
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

export class Unavailable extends HeroError {}

/** No answer: the daemon is not there, went away in the middle, or took longer than the call's time limit. */
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
  rate_limited: RateLimited,
  unavailable: Unavailable,
}

interface WireError {
  readonly code: number
  readonly message: string
  readonly data?: { readonly code?: string }
}

/** The error object of a JSON-RPC answer as the class of its name. */
export const toHeroError = ({ code, message, data }: WireError): HeroError => {
  const name = (data?.code ?? 'internal_error') as ErrorCode
  const known = Object.hasOwn(classes, name) ? classes[name] : undefined
  return new (known ?? HeroError)(message, name, code, data)
}
