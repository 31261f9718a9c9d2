import { digest } from '../../src/secrets/digest.ts'
import { newId, now } from '../../src/storage/ids.ts'

/** The row of a sign-in at home by password, whose cookie has this value. */
export const sessionRow = (user_id: string, cookie: string) => {
  const at = now()
  return {
    id: newId(),
    user_id,
    token_hash: digest(cookie),
    kind: 'cookie',
    provider: 'password',
    address: '',
    user_agent: '',
    created_at: at,
    expires_at: at + 86_400,
    last_used_at: at,
    factor: '',
    proven_at: at,
    second_at: 0,
    passkey_at: 0,
    mailed_at: 0,
    link_at: 0,
    proofs: 1,
    impersonated_user_id: null,
    impersonating_until: null,
    impersonated_services: '[]',
    remembered: 0,
    by_trust: 0,
    home: 'localhost',
  } as const
}
