import { anotherDevice } from '../contract/caller.ts'

const firstMethods: Readonly<Record<string, readonly string[]>> = {
  password: ['pwd'],
  setup: ['pwd'],
  magic_link: ['email'],
  [anotherDevice]: [],
}

const fed = ['fed']

/** How a session was proved, as its row says. */
interface ProvedSession {
  readonly provider: string
  readonly factor: string
  readonly second_at: number
}

/** Authentication methods (RFC 8176). `email` and `fed` are ours: a mailed link, and an identity provider. */
export const amrOf = ({ provider, factor, second_at }: ProvedSession): string[] => {
  if (provider === 'passkey') return ['swk', 'user', 'mfa']
  const first = firstMethods[provider] ?? fed
  const second: Record<string, string> = { totp: 'otp', recovery: 'otp', passkey: 'swk' }
  if (factor === '' && first === fed) return second_at > 0 ? [...fed, 'mfa'] : [...fed]
  return factor === '' ? [...first] : [...first, second[factor]!, 'mfa']
}
