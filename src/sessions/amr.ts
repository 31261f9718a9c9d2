const firstMethods: Readonly<Record<string, readonly string[]>> = {
  password: ['pwd'],
  setup: ['pwd'],
  magic_link: ['email'],
}

/** Authentication methods (RFC 8176). `email` and `fed` are ours: a mailed link, and an identity provider. */
export const amrOf = ({ provider, factor }: { provider: string; factor: string }): string[] => {
  if (provider === 'passkey') return ['swk', 'user', 'mfa']
  const first = firstMethods[provider] ?? ['fed']
  const second: Record<string, string> = { totp: 'otp', recovery: 'otp', passkey: 'swk' }
  return factor === '' ? [...first] : [...first, second[factor]!, 'mfa']
}
