import type { Validation } from '../token/token.ts'

/** Describes a JWT of ours that is valid for this audience now. */
export type TellToken = (token: string, audience: string) => Promise<Validation>

/** A JWT as the engine's introspection endpoint reads a token (RFC 7662 section 2.2). */
export interface IntrospectedJwt {
  readonly kind: 'AccessToken'
  readonly isValid: true
  readonly jti: string
  readonly clientId: string
  readonly accountId: string | undefined
  readonly aud: string
  readonly exp: number
  readonly iat: number | undefined
  readonly scope: string
  readonly tokenType: 'Bearer'
  readonly extra: Readonly<Record<string, unknown>>
  isSenderConstrained(): false
}

// The engine refuses JWTs before it asks for a policy, so they pass it in another form.
const mark = 'jwt~'
const jwtForm = /^ey[A-Za-z0-9_-]*\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/

/** Replaces a JWT in a request for introspection by a form that the engine does not take for one. */
export const maskJwt = (form: URLSearchParams): void => {
  const token = form.get('token') ?? ''
  if (jwtForm.test(token)) form.set('token', mark + token.replaceAll('.', '~'))
}

const unmasked = (value: string): string | undefined =>
  value.startsWith(mark) ? value.slice(mark.length).replaceAll('~', '.') : undefined

/** Finds the JWT that a masked value stands for. Returns undefined for any other value, and for a token that is not valid. */
export const findMaskedJwt = async (value: string, tell: TellToken): Promise<IntrospectedJwt | undefined> => {
  const token = unmasked(value)
  const { aud, iat } = token === undefined ? {} : readPayload(token)
  // Every part of the answer comes from the check of the token; the payload only says which audience to ask about.
  const told = typeof aud === 'string' ? await tell(token!, aud) : undefined
  if (!told?.active || told.kind !== 'access' || told.client_id === undefined) return undefined
  const {
    client_id,
    sub,
    username,
    context,
    claims,
    exp = 0,
    scope = '',
    id = '',
    acr,
    amr,
    auth_time,
  } = told
  const accountId = sub === client_id ? undefined : sub
  return {
    kind: 'AccessToken',
    isValid: true,
    jti: id,
    clientId: client_id,
    accountId,
    aud: told.aud!,
    exp,
    iat: typeof iat === 'number' ? iat : undefined,
    scope,
    tokenType: 'Bearer',
    extra: {
      sub,
      ...(username !== undefined && { username }),
      ...(context !== undefined && { context }),
      ...(acr !== undefined && { acr, ...(amr && { amr }), auth_time }),
      claims,
    },
    isSenderConstrained: () => false,
  }
}

const readPayload = (token: string): Readonly<Record<string, unknown>> => {
  try {
    const value: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}
