// Names of JWT claims, in lower case: some readers of JSON ignore case, so every spelling of a name counts as the name.

const names = (text: string): ReadonlySet<string> => new Set(text.split(' '))

/** Claims of JWT, OpenID Connect and OAuth that carry security, and those of ours that grant rights. Only we issue them. */
const issued = names(
  'iss sub aud exp nbf iat jti nonce azp acr amr auth_time sid at_hash c_hash s_hash cnf act may_act scope client_id events email_verified phone_number_verified _claim_names _claim_sources groups claims context claims_by_reference',
)

/** Claims by which applications find an account. Two people with the same value would share one. */
const finding = names('preferred_username username nickname email upn uid unique_name login')

/** Claims that we make of the account itself. */
const ofAccount = names('name preferred_username email updated_at picture')

export const isIssuedByUs = (claim: string): boolean => issued.has(claim.toLowerCase())

export const findsAccounts = (claim: string): boolean => finding.has(claim.toLowerCase())

export const isOfAccount = (claim: string): boolean => ofAccount.has(claim.toLowerCase())
