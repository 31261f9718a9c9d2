import type { Route } from '../../routes/route.ts'
import type { Refusal } from '../../wire/request.ts'
import { window, type SignatureProblem } from '../../identity/signed_request.ts'
import type { Person } from '../../identity/visitors.ts'
import type { Told } from '../../wire/refusal.ts'

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

const signatureProblems: Readonly<Record<Exclude<SignatureProblem, 'inactive'>, string>> = {
  unsigned: 'There is no signature.',
  pubkey: 'X-Signature-Pubkey is one secp256k1 key in hex: 33 bytes compressed, or 65.',
  signature: 'X-Signature is one signature in hex: r and s, 64 bytes, with the lower s.',
  timestamp: 'X-Signature-Timestamp is one Unix time in seconds.',
  nonce: 'X-Signature-Nonce is one text of 16 to 64 URL-safe characters.',
  clock: `X-Signature-Timestamp is more than ${window} seconds away from the time here.`,
  unknown_key: 'Nobody here has this key.',
  mismatch: 'The signature is not one of this key over this request.',
  replayed: 'This nonce has been used already.',
}

/** What a signed request looks like, and what is wrong with this one. */
export const notSigned = (problem: SignatureProblem): Told =>
  problem === 'inactive'
    ? signerInactive
    : {
        status: 401,
        title: 'Not signed',
        text: `${signatureProblems[problem]} This service takes requests that are signed: X-Signature-Pubkey, X-Signature, X-Signature-Timestamp and X-Signature-Nonce, with ECDSA over secp256k1 and SHA-256; \`hero-proxy sign\` and the SDK make them.`,
        code: 'unauthenticated',
        headers: { 'www-authenticate': 'HeroSignature realm="hero_proxy", version="hero-sig-v1"' },
      }

const signerInactive: Told = {
  status: 403,
  title: 'Not active',
  text: 'The account that this key belongs to is not active.',
  code: 'inactive',
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
