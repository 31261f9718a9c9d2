import { acrOf, type ProofRule } from '../../contract/proofs.ts'
import type { Route } from '../../routes/route.ts'
import type { RequestError } from '../../wire/request.ts'
import type { SignatureProblem } from '../../identity/signed_request.ts'
import type { Person } from '../../identity/seen_person.ts'
import type { Refusal } from '../../wire/refusal.ts'

/** RFC 9110 section 11.6.1 requires a challenge. No browser opens its own dialogue for this scheme. */
const challenge = (address: string) => ({
  headers: { 'www-authenticate': `HeroSession realm="hero_proxy", login="${address}"` },
  members: { sign_in: address },
})

/** `address` is where a person can sign in. */
export const signInNeeded = (address: string): Refusal => ({
  status: 401,
  reason: 'sign_in_needed',
  code: 'unauthenticated',
  ...challenge(address),
  link: { href: address, name: 'sign_in' },
})

/** For peers that are not in forward_auth_from, and for paths that a service could take for the one of forward auth. */
export const mayNotAsk: Refusal = { status: 403, reason: 'may_not_ask', code: 'may_not_ask' }

/** For a route that guests may not use and where signing in does not count: there is no way in to show. */
export const nobodyKnown: Refusal = {
  status: 401,
  reason: 'no_way_in',
  code: 'unauthenticated',
  headers: { 'www-authenticate': 'HeroSession realm="hero_proxy"' },
}

/** RFC 6750 section 3: a browser opens no dialogue for this scheme. */
export const tokenNeeded: Refusal = {
  status: 401,
  reason: 'token_needed',
  code: 'unauthenticated',
  headers: { 'www-authenticate': 'Bearer realm="hero_proxy"' },
}

/** A static token gives a program access but no identity, so it has no claim and no address. */
export const tokenNamesNobody: Refusal = { status: 403, reason: 'token_names_nobody', code: 'claim_required' }

/** RFC 6750 section 3.1. */
export const scopeTooSmall: Refusal = {
  status: 403,
  reason: 'scope_too_small',
  code: 'claim_required',
  headers: { 'www-authenticate': 'Bearer realm="hero_proxy", error="insufficient_scope", scope="write"' },
}

/** For a session: programs read what is missing, by the names of RFC 9470. */
export const proofNeeded = (address: string, rule: ProofRule): Refusal => {
  const { headers, members } = challenge(address)
  return {
    status: 401,
    reason: 'proof_needed',
    values: { proof: rule.proof },
    code: 'proof_required',
    headers,
    members: { ...members, ...stepUpOf(rule) },
    link: { href: address, name: 'prove' },
  }
}

/** For a token (RFC 9470 section 3). A token that people keep has no proof; an access token may get one by a new sign-in. */
export const proofOfToken = (rule: ProofRule): Refusal => ({
  status: 401,
  reason: 'proof_of_token',
  code: 'proof_required',
  members: stepUpOf(rule),
  headers: {
    'www-authenticate': `Bearer realm="hero_proxy", error="insufficient_user_authentication"${Object.entries(
      stepUpOf(rule),
    )
      .map(([name, value]) => `, ${name}="${value}"`)
      .join('')}`,
  },
})

const stepUpOf = ({ proof, proof_age }: ProofRule): Record<string, string> => ({
  acr_values: acrOf[proof],
  ...(proof_age !== null && { max_age: String(proof_age) }),
})

/** For programs; people are sent to the provider. */
export const providerNeeded = (address: string): Refusal => ({
  status: 401,
  reason: 'provider_needed',
  code: 'unauthenticated',
  ...challenge(address),
})

/** For a route whose provider does not exist yet: our own sign-in page does not count there, so it would only send people in circles. */
export const providerMissing = (provider: string | null, navigates: boolean, address: string): Refusal => ({
  status: navigates ? 503 : 401,
  reason: 'provider_missing',
  values: { provider },
  code: navigates ? 'provider_missing' : 'unauthenticated',
  ...(!navigates && challenge(address)),
})

/** States what is wrong with the signature of a request. */
export const notSigned = (fault: SignatureProblem): Refusal =>
  fault === 'inactive'
    ? { status: 403, reason: 'signer_inactive', code: 'inactive' }
    : {
        status: 401,
        reason: 'not_signed',
        values: { fault },
        code: 'unauthenticated',
        headers: { 'www-authenticate': 'HeroSignature realm="hero_proxy", version="hero-sig-v1"' },
      }

/** The claim that administrators hold, and nobody else. */
const administrators = 'groups.admin'

/** The one group that a rule lets in. */
const onlyGroup = ([claim = '', ...others]: readonly string[]): string | null =>
  others.length === 0 ? (/^groups\.([^.*]+)$/.exec(claim)?.[1] ?? null) : null

/**
 * For a known person without the claim. Never a redirect, because the browser would come straight back. It names claims to
 * administrators only, because a claim says how the stack is built; the group of a service that has a name is said to all.
 */
export const claimMissing = (
  { required_claims, title, service }: Route,
  { username, impersonator, claims }: Person,
  signedIn: boolean,
): Refusal => ({
  status: 403,
  reason: 'claim_missing',
  values: {
    user: username,
    signed_in: signedIn,
    impersonating: impersonator !== undefined,
    service: title ?? service,
    group: onlyGroup(required_claims),
    claims: claims.includes(administrators) ? required_claims : [],
  },
  code: 'claim_required',
})

/** For a person whose address the route does not allow, or who has no verified address. */
export const emailNotAllowed = ({ email, email_verified }: Person, signedIn: boolean): Refusal => ({
  status: 403,
  reason: 'email_not_allowed',
  values: {
    email: email === null ? 'none' : email_verified ? 'not listed' : 'not verified',
    signed_in: signedIn,
  },
  code: 'email_not_allowed',
})

export const ambiguousPath: Refusal = { status: 400, reason: 'ambiguous_path', code: 'bad_request' }

export const foreignPage: Refusal = { status: 403, reason: 'foreign_page', code: 'cross_origin' }

export const claimsTooLarge: Refusal = { status: 500, reason: 'claims_too_large', code: 'claims_too_large' }

export const ownPath: Refusal = { status: 403, reason: 'own_path', code: 'own_path' }

export const badRequest = ({ status, message }: RequestError): Refusal => ({
  status,
  reason: 'bad_request',
  values: { detail: message },
  code: 'bad_request',
})
