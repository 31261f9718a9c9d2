import type { Refused } from '../../federation/account_matching.ts'
import type { Fault } from '../../providers/guarded_fetch.ts'
import type { Told } from '../../wire/refusal.ts'

// What people are told when a sign-in with a provider comes to nothing. Every page leads on to the other ways.

type Telling = (provider: string, next: string) => Told

const otherWays = (next: string) => ({
  href: `/auth/login?return_to=${encodeURIComponent(next)}`,
  text: 'Other ways to sign in',
})

const told =
  (status: number, code: string, title: string, text: (provider: string) => string): Telling =>
  (provider, next) => ({
    status,
    code,
    title: title.replace('{}', provider),
    text: text(provider),
    link: otherWays(next),
  })

/** For an answer that belongs to no sign-in of this browser. */
export const gone: Told = {
  status: 400,
  title: 'Begin again',
  text: 'This sign-in took too long, was ended already, or was begun in another browser. Nothing has happened.',
  code: 'flow_over',
  link: { href: '/auth/login', text: 'Sign in' },
}

/** For an identity whose address somebody has here, at the host of a service: its pages must not be able to link anything. */
export const linkAtHome = (account: string): Told => ({
  status: 403,
  title: 'You have an account here',
  text: 'There is an account with your address already. Sign in to it as you did before, and link the two on your account page.',
  code: 'link_needed',
  link: { href: account, text: 'Your account' },
})

const doubted = told(
  502,
  'provider_untrusted',
  '{} could not prove who you are',
  (provider) =>
    `What ${provider} answered is not beyond doubt, so nobody was signed in. Try again; if it stays so, tell an administrator.`,
)

export const faults: Readonly<Record<Fault, Telling>> = {
  unreachable: told(
    503,
    'provider_unreachable',
    '{} is not answering',
    (provider) => `${provider} cannot be reached at the moment. Try again shortly, or sign in another way.`,
  ),
  slow: told(
    504,
    'provider_slow',
    '{} took too long',
    (provider) => `${provider} did not answer in time. Try again shortly, or sign in another way.`,
  ),
  insecure: told(
    502,
    'provider_insecure',
    '{} could not be trusted',
    (provider) =>
      `${provider} has no valid certificate at the moment, so nothing was sent to it. Sign in another way, or tell an administrator.`,
  ),
  local: told(
    502,
    'provider_local',
    '{} is at an address that is not asked',
    (provider) =>
      `The address of ${provider} leads to this machine or its link. An administrator can allow that by providers_may_be_local.`,
  ),
  'too large': told(
    502,
    'provider_nonsense',
    '{} answered something else',
    (provider) =>
      `${provider} sent far more than an answer has, so nobody was signed in. Sign in another way, or tell an administrator.`,
  ),
  nonsense: told(
    502,
    'provider_nonsense',
    '{} answered something else',
    (provider) =>
      `${provider} answered, but not as a provider does, so nobody was signed in. Try again shortly, or sign in another way.`,
  ),
  untrusted: doubted,
  client: told(
    502,
    'provider_client',
    '{} does not know us',
    (provider) =>
      `${provider} does not take our client_id or secret. An administrator can look: providers.test.`,
  ),
  grant: told(
    400,
    'provider_grant',
    '{} did not take the answer back',
    (provider) => `${provider} says that this sign-in is over. Begin again.`,
  ),
  refused: told(
    403,
    'provider_refused',
    'Not signed in',
    (provider) => `${provider} says that you did not want to sign in, or may not.`,
  ),
}

export const refusals: Readonly<Record<Refused, Telling>> = {
  domain: told(
    403,
    'domain_not_allowed',
    'Not with this address',
    (provider) =>
      `Signing in with ${provider} takes an address of certain domains that ${provider} has verified, and yours is not among them. Use another account there, or ask an administrator.`,
  ),
  no_account: told(
    403,
    'no_account',
    'You have no account here',
    (provider) =>
      `No account here is linked to yours at ${provider}, and signing in with it makes none. If you have an account here, sign in to it and link ${provider} on your account page; if not, ask an administrator.`,
  ),
  doubtful_address: told(
    403,
    'address_not_verified',
    'Your address is not verified',
    (provider) =>
      `${provider} has not verified your address, or it is none that can be used here. Verify it there first.`,
  ),
  no_address: told(
    403,
    'no_address',
    'There is no address',
    (provider) =>
      `${provider} tells no address of yours, so nobody can tell that the account here is yours too. Give it one there, or ask an administrator to link the two.`,
  ),
  other_address: told(
    403,
    'other_address',
    'That is another address',
    (provider) =>
      `The address that ${provider} has verified is not the one that you have confirmed here. Change one of them, or ask an administrator to link the two.`,
  ),
  inactive: told(
    403,
    'inactive',
    'Not active',
    () => 'The account here that this belongs to is not active. Ask an administrator.',
  ),
  linked_already: told(
    409,
    'linked_already',
    'Linked already',
    (provider) => `This account of ${provider} is yours here already.`,
  ),
  of_somebody_else: told(
    409,
    'of_somebody_else',
    'Somebody else has it',
    (provider) =>
      `This account of ${provider} is linked to another account here. If that is yours too, sign in to it and unlink ${provider} there.`,
  ),
  unproven: (provider, next) => ({
    status: 403,
    code: 'unproven',
    title: `${provider} did not ask who you are`,
    text: `You were let pass there as somebody who is signed in, which proves nothing about who sits here. Prove it another way.`,
    link: { href: `/auth/prove?return_to=${encodeURIComponent(next)}`, text: 'Other ways to prove it' },
  }),
}
