import { html, type Html } from '../../html/html.ts'

/** What a scope lets an application know, for people. */
const knowledge: Readonly<Record<string, string>> = {
  openid: 'who you are',
  email: 'your email address',
  profile: 'your name and username',
  groups: 'the groups that you are in',
  claims: 'what you are allowed to do here',
}

/** And what it lets it do. */
const deeds: Readonly<Record<string, string>> = {
  offline_access: 'do so also while you are away',
  read: 'read in your name',
  write: 'change things in your name',
  admin: 'administer in your name',
}

const deedOf = (scope: string): Html => {
  const [name = '', resource] = scope.split(' at ')
  const deed = deeds[name] ?? name
  return resource === undefined ? html`${deed}` : html`${deed}, at ${resource}`
}

/** What an application would like to: `know your email address`, `read in your name`. */
export const meaningOf = (scope: string): Html =>
  knowledge[scope] === undefined ? deedOf(scope) : html`know ${knowledge[scope]}`

/** What it may: `know who you are, your email address, read in your name`. */
export const listOf = (scopes: readonly string[]): Html => {
  const known = scopes.filter((scope) => knowledge[scope] !== undefined)
  const parts = [
    ...known.map((scope, i) => html`${i === 0 && 'know '}${knowledge[scope]}`),
    ...scopes.filter((scope) => !known.includes(scope)).map(deedOf),
  ]
  return html`${parts.map((part, i) => html`${i > 0 && ', '}${part}`)}`
}
