import type { Refusal } from '../wire/refusal.ts'

// What every form of ours refuses.

export const needsHttps: Refusal = { status: 403, reason: 'insecure_transport', code: 'insecure_transport' }

export const notTrusted: Refusal = { status: 403, reason: 'proxy_not_trusted', code: 'proxy_not_trusted' }

export const notAForm: Refusal = { status: 415, reason: 'not_a_form', code: 'unsupported_media_type' }

export const formOfAnother = (user: string, present: string): Refusal => ({
  status: 409,
  reason: 'form_of_another',
  values: { user, present },
  code: 'session_changed',
  link: { href: '/auth/me', name: 'your_account' },
})

/** The person can sign in again, and continue. */
export const sessionOver = (continueAt: string): Refusal => ({
  status: 401,
  reason: 'session_over',
  code: 'unauthenticated',
  link: { href: `/auth/login?return_to=${encodeURIComponent(continueAt)}`, name: 'sign_in_and_continue' },
})

export const foreignForm: Refusal = {
  status: 403,
  reason: 'foreign_form',
  code: 'cross_origin',
  link: { href: '/auth/login', name: 'sign_in' },
}
