import type { User } from './user.ts'

const times = { created_at: 1795435200, updated_at: 1795435200 }

/** The two users in the documented examples. */
export const ada: User = {
  id: '01932d1c-7a5e-7c41-9f3a-5f1d2c3b4a01',
  username: 'ada',
  display_name: 'Ada Lovelace',
  email: 'ada@example.org',
  email_verified_at: 1795435200,
  external_id: null,
  is_active: true,
  is_admin: true,
  has_factor: false,
  context: 1,
  ends_at: null,
  awaits_approval: false,
  ...times,
}

export const grace: User = {
  id: '01932d1c-7a5e-7c41-9f3a-5f1d2c3b4a02',
  username: 'grace',
  display_name: 'Grace Hopper',
  email: 'grace@example.org',
  email_verified_at: 1795435200,
  external_id: 'hr-1906',
  is_active: true,
  is_admin: false,
  has_factor: false,
  context: 1,
  ends_at: null,
  awaits_approval: false,
  ...times,
}
