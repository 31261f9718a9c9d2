import type { Claims } from '../claims/claims.ts'
import { heldBy } from '../claims/session_claims.ts'
import type { ClientWithCredentials } from '../clients/client.ts'
import { AppError } from '../contract/errors.ts'
import type { ShownToken } from '../contract/principal.ts'
import { isSession } from '../sessions/live_session.ts'
import { now } from '../storage/ids.ts'
import type { Validation } from '../token/token.ts'
import { claimsWithin } from '../contract/token_scopes.ts'
import type { BearerTokens } from './bearer_tokens.ts'

interface Parts {
  readonly tokens: BearerTokens
  readonly claims: Claims
  /** Returns the service whose claims a token for this audience carries; empty for none. */
  readonly serviceFor: (audience: string, client_id: string | undefined) => Promise<string>
}

/** Describes a valid token of ours to anyone who has it; reports any other token only as not active. */
export const tokenTeller =
  ({ tokens, claims, serviceFor }: Parts) =>
  async (shown: string, aud: string): Promise<Validation> => {
    const principal = await tokens.find(shown, aud)
    if (!principal) return { active: false }
    const { user_id: sub, username, context, token, program } = principal
    if (program) {
      const { kind, name } = program
      const held = [...claimsWithin(program.claims, token!.scope)]
      return kind === 'service'
        ? { ...about(token!), service: name, sub: `service:${name}`, claims: held }
        : { ...about(token!), sub: name, claims: held }
    }
    const where =
      token?.kind === 'access' ? { service: await serviceFor(token.aud, token.client_id), context } : {}
    const resolved = await claims.resolved(sub, where)
    if (!resolved) return { active: false }
    const person = { sub, username, context, claims: [...heldBy(principal, resolved, now()).claims] }
    if (isSession(principal)) {
      const { id, expires_at: exp } = principal
      return { active: true, kind: 'session', id, ...person, aud, exp }
    }
    return { ...about(token!), ...person }
  }

const about = ({ kind, id, scope, aud, expires_at: exp, client_id, acr, amr, auth_time }: ShownToken) => ({
  active: true,
  kind,
  id,
  scope,
  aud,
  exp,
  // A service is not a client, although its tokens name it in `client_id`.
  ...(client_id !== undefined && !client_id.includes(':') && { client_id }),
  ...(acr !== undefined && { acr, ...(amr && { amr: [...amr] }), auth_time }),
})

/** Returns what a client's own tokens may carry. Throws claim_required if the client gets no tokens of its own. */
export const toProgram = ({ client, grants, public: isPublic, scopes, claims }: ClientWithCredentials) => {
  if (isPublic || !grants.includes('client_credentials')) {
    const error = new AppError(
      'claim_required',
      'This client gets no tokens of its own: it has no grant client_credentials',
    )
    error.about = `client=${client}`
    throw error
  }
  return { client_id: client, scopes, claims }
}
