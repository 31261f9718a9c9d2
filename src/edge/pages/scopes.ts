import { html, type Html } from './html.ts'

/** What a scope lets an application know or do, for people. */
const meanings: Readonly<Record<string, string>> = {
  openid: 'who you are',
  email: 'your email address',
  profile: 'your name and username',
  groups: 'the groups that you are in',
  claims: 'what you are allowed to do here',
  offline_access: 'all this also while you are away',
  read: 'read in your name',
  write: 'change things in your name',
  admin: 'administer in your name',
}

export const meaningOf = (scope: string): Html => {
  const [name = '', resource] = scope.split(' at ')
  const meaning = meanings[name] ?? name
  return resource === undefined ? html`${meaning}` : html`${meaning}, at ${resource}`
}

/** Several in a row. */
export const listOf = (scopes: readonly string[]): Html =>
  html`${scopes.map((scope, i) => html`${i > 0 && ', '}${meaningOf(scope)}`)}`
