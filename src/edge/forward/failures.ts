import type { Refusal } from '../../wire/refusal.ts'
import type { Failure } from './forwarded.ts'

/** The refusal that a client gets for each failure. */
export const failures: Readonly<Record<Failure, Refusal>> = {
  unreachable: { status: 502, reason: 'upstream_unreachable', code: 'upstream_unreachable' },
  timeout: { status: 504, reason: 'upstream_timeout', code: 'upstream_timeout' },
  'slow body': {
    status: 408,
    reason: 'upload_stalled',
    code: 'request_timeout',
    headers: { connection: 'close' },
  },
  ended: { status: 403, reason: 'access_ended', code: 'access_ended' },
  'large body': {
    status: 413,
    reason: 'content_too_large',
    code: 'content_too_large',
    headers: { connection: 'close' },
  },
}
