export { HeroProxy, defaultSocket, type HeroProxyOptions } from './client.ts'
export * from './errors.ts'
export { matchesClaim, satisfiesRule } from './claim_rule.ts'
export { identityFrom, requireClaim, type HeadersLike, type Identity } from './identity.ts'
export type * from './methods.ts'
export type { Revoked, RevokedOptions } from './revocations.ts'
export type { Transport } from './transport.ts'
export { verifyAssertion, type AssertionOptions } from './assertion.ts'
export {
  hasScope,
  tokenScopes,
  verifyToken,
  type AccessToken,
  type TokenCheck,
  type TokenOptions,
  type TokenScope,
} from './access_token.ts'
export { heroExpress, heroFastify, heroHono, withIdentity, type Guard } from './middleware.ts'
export {
  publicKeyOf,
  signRequest,
  type Signable,
  type SignatureHeaders,
  type SigningKey,
} from './signed_request.ts'
