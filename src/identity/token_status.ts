import type { Claims } from '../claims/claims.ts'
import type { KnownClient } from '../clients/client.ts'
import { AppError } from '../contract/errors.ts'
import type { LiveSessions } from '../sessions/live_sessions.ts'
import type { Validation } from '../token/token.ts'
import { claimsWithin } from '../contract/token_scopes.ts'
import type { Bearers } from './bearer_tokens.ts'

interface Parts {
  readonly sessions: LiveSessions
  readonly bearers: Bearers
  readonly claims: Claims
}

/** Tells whoever has a token of ours what it is; of any other, only that it counts for nothing. */
export const tokenTeller =
  ({ sessions, bearers, claims }: Parts) =>
  async (token: string, audience: string, issuer: string): Promise<Validation> => {
    const session = audience === issuer ? await sessions.find(token) : undefined
    if (session) {
      const { id, user_id: sub, username, context, expires_at: exp } = session
      const held = await claims.of(sub)
      return held
        ? { active: true, kind: 'session', id, sub, username, context, claims: [...held], aud: issuer, exp }
        : { active: false }
    }
    const bearer = await bearers.find(token, (aud) => aud === audience)
    if (!bearer || bearer.aud !== audience) return { active: false }
    const { kind, token_id: id, scope, aud, expires_at: exp, client_id, person, program } = bearer
    const about = { active: true, kind, id, scope, aud, exp } as const
    const given = client_id === undefined || client_id.includes(':') ? {} : { client_id }
    if (program) {
      const held = [...claimsWithin(program.claims, scope)]
      const name = program.kind === 'service' ? { service: program.name } : {}
      const sub = program.kind === 'service' ? `service:${program.name}` : program.name
      return { ...about, ...given, ...name, sub, claims: held }
    }
    const { user_id: sub, username, context } = person!
    const held = await claims.of(sub)
    if (!held) return { active: false }
    return { ...about, ...given, sub, username, context, claims: [...claimsWithin(held, scope)] }
  }

/** What a client may have for itself; unauthenticated for one that gets no tokens of its own. */
export const toProgram = ({ client, grants, public: isPublic, scopes, claims }: KnownClient) => {
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
