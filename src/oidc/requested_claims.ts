import { scopeClaims } from './accounts.ts'

/** The scope that brings a JWT claim: whoever allows the one allows the other; undefined for one that no scope brings. */
export const scopeOf = (claim: string): string | undefined =>
  Object.entries(scopeClaims).find(([, claims]) => (claims as readonly string[]).includes(claim))?.[0]

/** The value of the parameter `claims` (OpenID Connect Core section 5.5). */
interface AskedClaims {
  readonly userinfo?: object
  readonly id_token?: object
}

/** Without the claims that only a scope beyond these brings: they are ignored, as those that nobody knows. */
export const withinScopes = (asked: AskedClaims, scopes: readonly string[]): AskedClaims =>
  Object.fromEntries(
    Object.entries(asked as Record<string, object>)
      .filter(([place]) => place === 'userinfo' || place === 'id_token')
      .map(([place, claims]) => [
        place,
        Object.fromEntries(
          Object.entries(claims).filter(([claim]) => {
            const scope = scopeOf(claim)
            return scope === undefined || scopes.includes(scope)
          }),
        ),
      ]),
  )
