import { userScopes, type ClientWithCredentials } from '../../clients/client.ts'
import type { ScopeClaims } from '../accounts.ts'
import { scopeOf } from '../requested_claims.ts'
import type { Consents } from '../../consents/consents.ts'
import type { JudgeRequest } from './policy.ts'
import type { Context } from './types.ts'

const scopesOfPeople: ReadonlySet<string> = new Set(userScopes)

/**
 * Loads what a person has allowed a client, at each authorization. Scopes that the person has allowed before, or that need no
 * consent, are granted again in every session.
 */
export const loadGrant =
  (
    consents: Consents,
    knownClient: (client: object | undefined) => ClientWithCredentials | undefined,
    scopeClaims: ScopeClaims,
    judge: JudgeRequest,
  ) =>
  async (ctx: Context) => {
    const { Grant } = ctx.oidc.provider
    const { client, session, account, result, params } = ctx.oidc
    const clientId = client!.clientId
    const userId = account!.accountId
    const grantId = (result?.consent?.grantId as string | undefined) ?? session!.grantIdFor(clientId)
    const found = grantId === undefined ? undefined : await Grant.find(grantId)
    const grant = found?.accountId === userId && found.clientId === clientId ? found : undefined
    // For a person who may not enter, nothing is written.
    if ((await judge(ctx)).lack !== undefined) return grant
    const requested = String(params?.scope ?? '').split(' ')
    const allowed: readonly string[] = knownClient(client)?.first_party
      ? userScopes
      : await consents.of(userId, clientId)
    const missing = requested.filter(
      (scope) =>
        scopesOfPeople.has(scope) &&
        allowed.includes(scope) &&
        !grant?.getOIDCScope().split(' ').includes(scope),
    )
    const claims = [...ctx.oidc.requestParamClaims].filter(
      (claim) =>
        allowed.includes(scopeOf(claim, scopeClaims) ?? '') && !grant?.getOIDCClaims().includes(claim),
    )
    if (missing.length === 0 && claims.length === 0) return grant
    const extended = grant ?? new Grant({ accountId: userId, clientId })
    if (missing.length > 0) extended.addOIDCScope(missing.join(' '))
    extended.addOIDCClaims(claims)
    await extended.save()
    return extended
  }
