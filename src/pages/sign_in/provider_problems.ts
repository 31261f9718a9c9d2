import type { RefusalReason } from '../../federation/account_matching.ts'
import type { Fault } from '../../providers/guarded_fetch.ts'
import type { Refusal } from '../../wire/refusal.ts'
import type { NoticeFacts } from '../../strings/catalogue.ts'

// The refusals after a sign-in with a provider fails. Each page links to the other ways to sign in.

type ProviderRefusal = (provider: string, next: string, reported?: string) => Refusal

/** The notices that name a provider. */
type Reason = Exclude<
  Extract<NoticeFacts, { readonly values: { readonly provider: string } }>['reason'],
  'provider_reported'
>

const refusalFor =
  (status: number, reason: Reason, code: string = reason): ProviderRefusal =>
  (provider, next) => ({
    status,
    reason,
    values: { provider },
    code,
    link: { href: `/auth/login?return_to=${encodeURIComponent(next)}`, name: 'other_ways' },
  })

/** For a provider's answer that belongs to no sign-in of this browser. */
export const gone: Refusal = {
  status: 400,
  reason: 'flow_over',
  code: 'flow_over',
  link: { href: '/auth/login', name: 'sign_in' },
}

export const faults: Readonly<Record<Fault, ProviderRefusal>> = {
  unreachable: refusalFor(503, 'provider_unreachable'),
  slow: refusalFor(504, 'provider_slow'),
  insecure: refusalFor(502, 'provider_insecure'),
  local: refusalFor(502, 'provider_local'),
  'too large': refusalFor(502, 'provider_too_large', 'provider_nonsense'),
  nonsense: refusalFor(502, 'provider_nonsense'),
  untrusted: refusalFor(502, 'provider_untrusted'),
  client: refusalFor(502, 'provider_client'),
  grant: refusalFor(400, 'provider_grant'),
  refused: refusalFor(403, 'provider_refused'),
  reported: (provider, next, reported = '') => ({
    ...refusalFor(502, 'provider_nonsense', 'provider_reported')(provider, next),
    reason: 'provider_reported',
    values: { provider, reported: reported === '' ? '?' : reported },
  }),
  busy: refusalFor(503, 'provider_busy'),
}

export const refusals: Readonly<Record<RefusalReason, ProviderRefusal>> = {
  domain: refusalFor(403, 'domain', 'domain_not_allowed'),
  no_account: refusalFor(403, 'no_account'),
  doubtful_address: refusalFor(403, 'doubtful_address', 'address_not_verified'),
  no_address: refusalFor(403, 'no_address'),
  other_address: refusalFor(403, 'other_address'),
  inactive: refusalFor(403, 'inactive'),
  linked_already: refusalFor(409, 'linked_already'),
  of_somebody_else: refusalFor(409, 'of_somebody_else'),
  unproven: (provider, next) => ({
    status: 403,
    reason: 'unproven',
    values: { provider },
    code: 'unproven',
    link: { href: `/auth/prove?return_to=${encodeURIComponent(next)}`, name: 'other_proofs' },
  }),
}
