import type { RefusalReason } from '../../federation/account_matching.ts'
import type { Fault } from '../../providers/guarded_fetch.ts'
import type { Refusal } from '../../wire/refusal.ts'
import type { NoticeFacts } from '../../strings/catalogue.ts'

// What is told when a sign-in with a provider comes to nothing. Every page leads on to the other ways.

type Telling = (provider: string, next: string) => Refusal

/** The notices that name a provider. */
type Reason = Extract<NoticeFacts, { readonly values: { readonly provider: string } }>['reason']

const told =
  (status: number, reason: Reason, code: string = reason): Telling =>
  (provider, next) => ({
    status,
    reason,
    values: { provider },
    code,
    link: { href: `/auth/login?return_to=${encodeURIComponent(next)}`, name: 'other_ways' },
  })

/** For an answer that belongs to no sign-in of this browser. */
export const gone: Refusal = {
  status: 400,
  reason: 'flow_over',
  code: 'flow_over',
  link: { href: '/auth/login', name: 'sign_in' },
}

/** For an identity whose address somebody has here, at the host of a service: its pages must not be able to link anything. */
export const linkAtHome = (account: string): Refusal => ({
  status: 403,
  reason: 'link_needed',
  code: 'link_needed',
  link: { href: account, name: 'your_account' },
})

export const faults: Readonly<Record<Fault, Telling>> = {
  unreachable: told(503, 'provider_unreachable'),
  slow: told(504, 'provider_slow'),
  insecure: told(502, 'provider_insecure'),
  local: told(502, 'provider_local'),
  'too large': told(502, 'provider_too_large', 'provider_nonsense'),
  nonsense: told(502, 'provider_nonsense'),
  untrusted: told(502, 'provider_untrusted'),
  client: told(502, 'provider_client'),
  grant: told(400, 'provider_grant'),
  refused: told(403, 'provider_refused'),
}

export const refusals: Readonly<Record<RefusalReason, Telling>> = {
  domain: told(403, 'domain', 'domain_not_allowed'),
  no_account: told(403, 'no_account'),
  doubtful_address: told(403, 'doubtful_address', 'address_not_verified'),
  no_address: told(403, 'no_address'),
  other_address: told(403, 'other_address'),
  inactive: told(403, 'inactive'),
  linked_already: told(409, 'linked_already'),
  of_somebody_else: told(409, 'of_somebody_else'),
  unproven: (provider, next) => ({
    status: 403,
    reason: 'unproven',
    values: { provider },
    code: 'unproven',
    link: { href: `/auth/prove?return_to=${encodeURIComponent(next)}`, name: 'other_proofs' },
  }),
}
