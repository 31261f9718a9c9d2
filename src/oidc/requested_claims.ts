import type { ScopeClaims } from './accounts.ts'

/** Returns the scope that grants a JWT claim, or undefined if no scope does. A person who allows one allows the other. */
export const scopeOf = (claim: string, scopeClaims: ScopeClaims): string | undefined =>
  Object.entries(scopeClaims).find(([, claims]) => claims.includes(claim))?.[0]

/** The value of the parameter `claims` (OpenID Connect Core section 5.5). */
interface AskedClaims {
  readonly userinfo?: object
  readonly id_token?: object
}

/** Drops the claims that only other scopes grant. They are ignored, like unknown claims. */
export const withinScopes = (
  asked: AskedClaims,
  scopes: readonly string[],
  scopeClaims: ScopeClaims,
): AskedClaims =>
  Object.fromEntries(
    Object.entries(asked as Record<string, object>)
      .filter(([target]) => target === 'userinfo' || target === 'id_token')
      .map(([target, claims]) => [
        target,
        Object.fromEntries(
          Object.entries(claims).filter(([claim]) => {
            const scope = scopeOf(claim, scopeClaims)
            return scope === undefined || scopes.includes(scope)
          }),
        ),
      ]),
  )
