import type { Route } from '../routes/route.ts'
import type { Told } from './answers.ts'
import type { Refusal } from './asked.ts'
import type { Person } from './visitor.ts'
import type { Failure } from './forward/forwarded.ts'

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

export const signInNeeded: Told = {
  status: 401,
  title: 'Sign in first',
  text: 'This service is open to people who are signed in. Sign in at /auth/login.',
  code: 'unauthenticated',
  // RFC 9110 section 11.6.1 asks for a challenge; this scheme makes no browser open its own dialogue.
  headers: { 'www-authenticate': 'HeroSession realm="hero_proxy", login="/auth/login"' },
}

export const toSignIn = { href: '/auth/login', text: 'Sign in' }

/** For a route that asks for more than guests have and takes no sign-in: there is no way in to be shown. */
export const nobodyKnown: Told = {
  ...signInNeeded,
  text: 'This service asks who you are, and takes nothing that could tell it.',
}

/** RFC 6750 section 3: a browser opens no dialogue for this scheme. */
export const tokenNeeded: Told = {
  status: 401,
  title: 'A token is needed',
  text: 'This service is for programs that send Authorization: Bearer with a valid token.',
  code: 'unauthenticated',
  headers: { 'www-authenticate': 'Bearer realm="hero_proxy"' },
}

/** A static token lets a program in; it is nobody who could have a claim or an address. */
export const tokenNamesNobody: Told = {
  status: 403,
  title: 'Not with this token',
  text: 'This service asks for a claim or an email address, and a static token has neither. Use the access token of a person.',
  code: 'claim_required',
}

/** RFC 6750 section 3.1. */
export const scopeTooSmall: Told = {
  status: 403,
  title: 'Not with this token',
  text: 'This token is for reading only. Make one with the scope write.',
  code: 'claim_required',
  headers: { 'www-authenticate': 'Bearer realm="hero_proxy", error="insufficient_scope", scope="write"' },
}

/** For programs; people are sent to the provider. */
export const providerNeeded: Told = {
  ...signInNeeded,
  text: 'This service is open to people who signed in with an identity provider. Sign in at /login.',
  headers: { 'www-authenticate': 'HeroSession realm="hero_proxy", login="/login"' },
}

const nameProvider = (name: string | null) =>
  name === null ? 'an identity provider' : `the identity provider ${name}`

/** There is no way in yet, and sending people to a sign-in page that does not count here would send them in circles. */
export const providerMissing = (name: string | null, navigates: boolean): Told => ({
  status: navigates ? 503 : 401,
  title: 'No way in yet',
  text: `This service is open to people who signed in with ${nameProvider(name)}, and ${name === null ? 'none is' : 'it is not'} set up here, or is turned off. An administrator can change that, or give the route another auth_mode.`,
  code: navigates ? 'provider_missing' : 'unauthenticated',
  ...(!navigates && { headers: providerNeeded.headers! }),
})

/** What a signed request looks like, and what is wrong with this one. */
export const notSigned = (wrong: string): Told => ({
  status: 401,
  title: 'Not signed',
  text: `${wrong} This service takes requests that are signed: X-Signature-Pubkey, X-Signature, X-Signature-Timestamp and X-Signature-Nonce, with ECDSA over secp256k1 and SHA-256; \`hero-proxy sign\` and the SDK make them.`,
  code: 'unauthenticated',
  headers: { 'www-authenticate': 'HeroSignature realm="hero_proxy", version="hero-sig-v1"' },
})

export const unsigned = notSigned('There is no signature.')
export const replayed = notSigned('This nonce has been used already.')

export const signerInactive: Told = {
  status: 403,
  title: 'Not active',
  text: 'The account that this key belongs to is not active.',
  code: 'inactive',
}

export const storageAway: Told = {
  status: 503,
  title: 'Not just now',
  text: 'This cannot be decided at the moment. Try again shortly.',
  code: 'unavailable',
  headers: { 'retry-after': '5' },
}

export const internalError: Told = {
  status: 500,
  title: 'Something broke here',
  text: 'This is a fault of hero_proxy. It was written down; an operator finds it in the log.',
  code: 'internal_error',
}

/** For somebody who is known and lacks the claim: never a redirect, which would come straight back. */
export const claimMissing = ({ required_claims }: Route, { username, impersonator }: Person): Told => ({
  status: 403,
  title: 'Not for you, so far',
  text: `${impersonator === undefined ? `You are known as ${username}` : `You act as ${username}`}, but this service asks for the claim ${required_claims.join(' or ')}. An administrator can give it to you.`,
  code: 'claim_required',
})

/** For somebody whose address the route does not name, or who has none that is proven. */
export const emailNotAllowed = ({ email, email_verified }: Person): Told => ({
  status: 403,
  title: 'Not for you, so far',
  text: `This service is open to certain email addresses, and ${email === null ? 'you have none here' : email_verified ? 'yours is not among them' : 'yours is not verified'}. An administrator can change that.`,
  code: 'email_not_allowed',
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

export const ownPath: Told = {
  status: 403,
  title: 'Not the service’s path',
  text: 'This path belongs to hero_proxy on every host: the proxy in front sends it there, not to the service.',
  code: 'own_path',
}

export const badRequest = ({ status, message }: Refusal): Told => ({
  status,
  title: 'Bad request',
  text: message,
  code: 'bad_request',
})
