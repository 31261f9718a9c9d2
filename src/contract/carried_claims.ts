/** The longest token that we issue and that our doors read: in a head of 16 KiB it leaves room for everything else. */
export const maxTokenLength = 10_240

/** How many bytes of claims a JWT carries. */
const maxCarriedBytes = 4096

const fits = (values: readonly string[]): boolean =>
  Buffer.byteLength(JSON.stringify(values)) <= maxCarriedBytes

/** What a JWT says about claims: the claims, or that introspection and userinfo return them. It never carries a shortened list. */
export const carriedClaims = (
  claims: readonly string[],
): { readonly claims: readonly string[] } | { readonly claims_by_reference: true } =>
  fits(claims) ? { claims } : { claims_by_reference: true }

/** The same for an ID token, which also carries groups. */
export const carriedByIdToken = ({
  groups,
  claims,
  ...others
}: {
  readonly groups: readonly string[]
  readonly claims: readonly string[]
}): object => ({ ...others, ...(fits(groups) && { groups }), ...carriedClaims(claims) })
