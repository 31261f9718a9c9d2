import type { Catalogue } from '../../strings/catalogue.ts'

/** Says what a scope lets an application do, to follow “can”: `see your email address`, `read data on your behalf at https://…`. */
export const meaningOf = ({ openid }: Catalogue, scope: string): string => {
  const [name = '', resource] = scope.split(' at ')
  const may = Object.hasOwn(openid.scopes, name) ? openid.scopes[name]! : name
  return resource === undefined ? may : openid.scope_at({ may, resource })
}

/** Says the same about several scopes. */
export const meaningsOf = (words: Catalogue, scopes: readonly string[]): string =>
  words.openid.scope_list({ scopes: scopes.map((scope) => meaningOf(words, scope)) })
