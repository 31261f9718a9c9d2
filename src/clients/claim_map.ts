import { invalidParams } from '../contract/errors.ts'
import { findsAccounts, isIssuedByUs } from '../contract/jwt_claims.ts'
import { Type } from '../contract/schema_builder.ts'
import {
  attributeNameIn,
  isTemplate,
  mayFindAccounts,
  Template,
  templateRule,
  wordsIn,
} from '../contract/templates.ts'

const ClaimName = Type.String({
  pattern: '^[a-zA-Z][a-zA-Z0-9_.:/#-]{0,127}$',
  description: 'The name of a JWT claim: 1 to 128 letters, digits and _ . : / # -, the first a letter',
})

export const ClaimMap = Type.Unsafe<Readonly<Record<string, string>>>({
  type: 'object',
  propertyNames: ClaimName,
  additionalProperties: Template,
  maxProperties: 20,
  description:
    'A template for each JWT claim that its ID tokens and userinfo get, with the words {user} {email} {name} {id} {groups} {attribute.NAME}: a lone word keeps its JSON type, and a claim is left out if a word has no value or the person did not grant the scope for it. Claims by which applications find accounts take one of {user}, {id} and {email}, or an attribute that is unique and that administrators set',
} as never)

interface Mapping {
  readonly claim_map: Readonly<Record<string, string>>
  readonly dynamic?: boolean | undefined
  readonly required_claims?: readonly string[] | undefined
}

/** Whether the attribute tells people apart and only administrators set it; undefined if there is none of this name. */
export type IdentifyingAttribute = (name: string) => Promise<boolean | undefined>

/** Throws invalid_params for a JWT claim that a client may not get so. */
export const checkClaimMap = async (client: Mapping, isIdentifying: IdentifyingAttribute): Promise<void> => {
  const entries = Object.entries(client.claim_map)
  if (client.dynamic === true && entries.length > 0)
    throw invalidParams('claim_map', 'none for a client that registered itself')
  const spellings = new Set(entries.map(([claim]) => claim.toLowerCase()))
  if (spellings.size < entries.length) throw invalidParams('claim_map', 'each claim once, in whatever case')
  for (const [claim, template] of entries) {
    const path = `claim_map.${claim}`
    if (isIssuedByUs(claim)) throw invalidParams(path, 'no JWT claim that carries security or rights')
    if (!isTemplate(template)) throw invalidParams(path, templateRule)
    const names = wordsIn(template).flatMap((word) => attributeNameIn(word) ?? [])
    const known = new Map<string, boolean>()
    for (const name of names) {
      const identifying = await isIdentifying(name)
      if (identifying === undefined) throw invalidParams(path, `no attribute ${name}: there is none`)
      known.set(name, identifying)
    }
    if (findsAccounts(claim)) checkAccountClaim(path, template, client, known)
  }
}

/** Two people must not become one at the application, and nobody chooses whom they become. */
const checkAccountClaim = (
  path: string,
  template: string,
  { required_claims = [] }: Mapping,
  identifying: ReadonlyMap<string, boolean>,
): void => {
  if (wordsIn(template).length === 0) {
    if (required_claims.length === 0)
      throw invalidParams(
        path,
        'a fixed text only for a client with required_claims: all people share the account',
      )
    return
  }
  if (!mayFindAccounts(template, (name) => identifying.get(name) === true))
    throw invalidParams(
      path,
      'exactly one of {user}, {id}, {email} and an attribute that is unique and whose source is administrator',
    )
}
