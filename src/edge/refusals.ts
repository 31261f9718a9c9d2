import type { Route } from '../routes/route.ts'
import type { Told } from './answers.ts'
import type { Refusal } from './asked.ts'
import type { Failure } from './forward.ts'
import type { Person } from './visitor.ts'

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
  'large body': {
    status: 413,
    title: 'Too large',
    text: 'This service takes no request of this size.',
    code: 'content_too_large',
    headers: { connection: 'close' },
  },
}

export const signInNeeded: Told = {
  status: 401,
  title: 'Sign in first',
  text: 'This service is open to people who are signed in. Sign in at /auth/login.',
  code: 'unauthenticated',
  // RFC 9110 section 11.6.1 asks for a challenge; this scheme makes no browser open its own dialogue.
  headers: { 'www-authenticate': 'HeroSession realm="hero_proxy", login="/auth/login"' },
}

/** For somebody who is known and lacks the claim: never a redirect, which would come straight back. */
export const claimMissing = ({ required_claims }: Route, { username, impersonator }: Person): Told => ({
  status: 403,
  title: 'Not for you, so far',
  text: `${impersonator === undefined ? 'You are signed in' : `You act as ${username}`}, but this service asks for the claim ${required_claims.join(' or ')}. An administrator can give it to you.`,
  code: 'claim_required',
})

export const ambiguousPath: Told = {
  status: 400,
  title: 'Ambiguous path',
  text: 'This path could be read as belonging to more than one service.',
  code: 'bad_request',
}

export const foreignPage: Told = {
  status: 403,
  title: 'Refused',
  text: 'A page of another site tried to connect with your sign-in.',
  code: 'cross_origin',
}

export const claimsTooLarge: Told = {
  status: 500,
  title: 'Too many claims',
  text: 'Your account has more claims than fit into one request. Ask an administrator.',
  code: 'claims_too_large',
}

export const badRequest = ({ status, message }: Refusal): Told => ({
  status,
  title: 'Bad request',
  text: message,
  code: 'bad_request',
})
