import { isLoopback } from '../wire/cookie_policy.ts'

interface Settings {
  readonly public_url: string
  readonly trusted_proxies: readonly string[]
  readonly tls_cert: readonly string[]
  readonly acme_directory: string | undefined
}

type Found = readonly [level: 'ok' | 'warn', text: string, advice?: string]

/** Whether a phone can sign in another browser here: that depends on the true address of each. */
export const anotherDevice = (
  { public_url, trusted_proxies, tls_cert, acme_directory }: Settings,
  allowed: 'off' | 'same_network' | 'anywhere',
): Found => {
  if (allowed === 'off') return ['ok', 'no phone signs in another browser']
  const where = allowed === 'anywhere' ? 'from any network' : 'from the same network'
  const { protocol, hostname } = new URL(public_url)
  if (isLoopback(hostname) && trusted_proxies.length === 0)
    return ['ok', 'people reach home from this machine only: no phone signs in another browser']
  const speaksTls = tls_cert.length > 0 || acme_directory !== undefined
  if (protocol === 'https:' && !speaksTls && trusted_proxies.length === 0)
    return [
      'warn',
      'a proxy that is not trusted speaks TLS for us, so nobody’s address is sure: no phone signs in another browser',
      'List the address of the proxy in trusted_proxies, or set elsewhere to off',
    ]
  return ['ok', `a phone may sign in another browser ${where}`]
}
