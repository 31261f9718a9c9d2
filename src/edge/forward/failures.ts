import type { Failure } from './forwarded.ts'
import type { Told } from '../../wire/refusal.ts'

/** What people and programs are told when an upstream gives no answer. */
export const failures: Readonly<Record<Failure, Told>> = {
  unreachable: {
    status: 502,
    title: 'The service is not answering',
    text: 'This service is down or not reachable at the moment. Try again shortly.',
    code: 'upstream_unreachable',
  },
  timeout: {
    status: 504,
    title: 'The service took too long',
    text: 'This service did not answer in time. Try again shortly.',
    code: 'upstream_timeout',
  },
  'slow body': {
    status: 408,
    title: 'Your upload stopped',
    text: 'Nothing more of the request arrived for a minute.',
    code: 'request_timeout',
    headers: { connection: 'close' },
  },
  ended: {
    status: 403,
    title: 'No longer allowed',
    text: 'What let this request in has ended while it was waiting for its answer.',
    code: 'access_ended',
  },
  'large body': {
    status: 413,
    title: 'Too large',
    text: 'This service takes no request of this size.',
    code: 'content_too_large',
    headers: { connection: 'close' },
  },
}
