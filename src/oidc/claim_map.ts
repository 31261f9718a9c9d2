import {
  attributeNameIn,
  expand,
  mayFindAccounts,
  wordsIn,
  type TemplateValue,
} from '../contract/templates.ts'
import { findsAccounts } from '../contract/jwt_claims.ts'

/** An attribute as templates see it. */
export interface MappedAttribute {
  readonly scope: string | null
  /** Whether it tells people apart, and neither they nor a provider choose it. */
  readonly identifying: boolean
}

interface Facts {
  /** The scopes that the person granted. */
  readonly scopes: ReadonlySet<string>
  readonly attribute: (name: string) => MappedAttribute | undefined
  readonly valueOf: (word: string) => TemplateValue | undefined
}

/** More than this is not issued: a token has to fit into a head. */
const maxBytes = 4096

const scopes: Readonly<Record<string, string>> = {
  user: 'profile',
  name: 'profile',
  email: 'email',
  groups: 'groups',
  id: 'openid',
}

/** The scope that reveals the value of a word; undefined if there is no such word any more. */
const scopeOfWord = (word: string, { attribute }: Facts): string | undefined => {
  const name = attributeNameIn(word)
  if (name === undefined) return scopes[word]
  const found = attribute(name)
  return found && (found.scope ?? 'openid')
}

/** The JWT claims that a client's map makes for a person; those with a word that is missing or was not granted are left out. */
export const mappedClaims = (
  map: Readonly<Record<string, string>>,
  facts: Facts,
): Readonly<Record<string, TemplateValue>> => {
  const isIdentifying = (name: string) => facts.attribute(name)?.identifying === true
  const known = (word: string) => {
    const scope = scopeOfWord(word, facts)
    return scope !== undefined && facts.scopes.has(scope) ? facts.valueOf(word) : undefined
  }
  const claims = Object.entries(map).flatMap(([claim, template]) => {
    // What an attribute is may have changed since the map was made.
    if (findsAccounts(claim) && wordsIn(template).length > 0 && !mayFindAccounts(template, isIdentifying))
      return []
    const value = expand(template, known)
    return value === undefined ? [] : [[claim, value] as const]
  })
  const all = Object.fromEntries(claims)
  return Buffer.byteLength(JSON.stringify(all)) <= maxBytes ? all : {}
}
