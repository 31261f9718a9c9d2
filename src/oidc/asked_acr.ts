import { acrLevels, anyProof, proofLevels, type ProofRule } from '../contract/proofs.ts'

/** The parameters of a request for authorization that ask for a level. */
export interface AcrParams {
  readonly claims?: unknown
}

interface Acr {
  readonly essential?: unknown
  readonly value?: unknown
  readonly values?: unknown
}

/**
 * The proof that a request cannot do without: an essential `acr` (OpenID Connect Core section 5.5.1.1). A stronger proof satisfies a
 * weaker demand. `unmet` if we have no level of such a name.
 */
export const essentialProof = ({ claims }: AcrParams): ProofRule | 'unmet' => {
  const { essential, value, values } = acrIn(claims)
  if (essential !== true || (value === undefined && values === undefined)) return anyProof
  const names = Array.isArray(values) ? values : [value]
  const levels = names.map((name) => acrLevels.findIndex((known) => known.slice(1).includes(name as string)))
  const known = levels.filter((level) => level >= 0)
  if (known.length === 0) return 'unmet'
  return { proof: proofLevels[Math.min(...known)]!, proof_age: null }
}

const acrIn = (claims: unknown): Acr => {
  try {
    const read = (typeof claims === 'string' ? JSON.parse(claims) : claims) as
      { readonly id_token?: { readonly acr?: Acr | null } } | undefined
    return read?.id_token?.acr ?? {}
  } catch {
    return {}
  }
}
