import type { ProblemName } from '../strings/catalogue.ts'

/**
 * All errors that a caller can get. `code` is the JSON-RPC number, and `http` the status where an adapter does not
 * speak JSON-RPC. Programs switch on the name, sent as `error.data.code`.
 */
export const errorTable = {
  parse_error: { code: -32700, http: 400, message: 'Parse error' },
  invalid_request: { code: -32600, http: 400, message: 'Invalid Request' },
  method_not_found: { code: -32601, http: 404, message: 'Method not found' },
  invalid_params: { code: -32602, http: 400, message: 'Invalid params' },
  internal_error: { code: -32603, http: 500, message: 'Internal error' },
  unauthenticated: { code: -32001, http: 401, message: 'Not signed in' },
  factor_required: { code: -32002, http: 401, message: 'A second factor is required' },
  proof_required: { code: -32003, http: 403, message: 'Confirm that it is you' },
  // The old proxy also answered -32001 for a missing claim; callers that switch on the number keep working.
  claim_required: { code: -32001, http: 403, message: 'A claim is missing' },
  not_found: { code: -32004, http: 404, message: 'Not found' },
  already_exists: { code: -32009, http: 409, message: 'Already exists' },
  conflict: { code: -32010, http: 409, message: 'Not possible in the current state' },
  session_changed: { code: -32011, http: 409, message: 'Somebody else is signed in now' },
  rate_limited: { code: -32029, http: 429, message: 'Too many requests' },
  unavailable: { code: -32053, http: 503, message: 'Temporarily unavailable' },
} as const

export type ErrorName = keyof typeof errorTable

/**
 * Details of an error. `reason` distinguishes cases with the same name, so that pages can explain them in the user's
 * language.
 */
export interface ErrorData {
  readonly reason?: ProblemName
  readonly [name: string]: unknown
}

/** An expected error: the caller gets its table row, with `message` and `data`. Any other error is a bug. */
export class AppError extends Error {
  override readonly name = 'AppError'
  readonly error: ErrorName
  readonly data: ErrorData & { readonly code: ErrorName }
  /** The user it was about, for the audit log only: never sent to the caller. */
  about: string | undefined

  constructor(error: ErrorName, message: string = errorTable[error].message, data: ErrorData = {}) {
    super(message)
    this.error = error
    this.data = { ...data, code: error }
  }

  get code(): number {
    return errorTable[this.error].code
  }
}

/** One parameter is invalid. `path` is the field (`username`, `claims.0`), and `allowed` says what is valid. */
export const invalidParams = (path: string, allowed: string, more: ErrorData = {}) =>
  new AppError('invalid_params', `Invalid params: ${path}: ${allowed}`, { path, allowed, ...more })

export const notFound = (noun: string, name: string) =>
  new AppError('not_found', `There is no ${noun} ${JSON.stringify(name)}`, { noun })

export const alreadyExists = (noun: string, path: string) =>
  new AppError('already_exists', `This ${noun} is already taken`, { path })

export const conflict = (message: string, data?: ErrorData) => new AppError('conflict', message, data)
