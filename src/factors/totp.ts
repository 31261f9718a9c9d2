import { Secret, TOTP } from 'otpauth'

/** Time-based codes as RFC 6238 has them and every app knows them: SHA-1, six digits, half a minute. */
const period = 30

const of = (secret: string, issuer: string, label: string) =>
  new TOTP({ issuer, label, algorithm: 'SHA1', digits: 6, period, secret: Secret.fromBase32(secret) })

/** 160 bits, in Base32: RFC 4226 section 4, R6. */
export const newSecret = (): string => new Secret({ size: 20 }).base32

/** What an app reads, as a link or a picture. */
export const enrolment = (secret: string, site: string, username: string): string =>
  of(secret, site, username).toString()

/** The time step that a code belongs to, a step early or late at most (RFC 6238 section 5.2), or undefined for a wrong code. */
export const stepOf = (secret: string, code: string, at: number): number | undefined => {
  if (!/^\d{6}$/.test(code)) return undefined
  const delta = of(secret, '', '').validate({ token: code, timestamp: at * 1000, window: 1 })
  return delta === null ? undefined : Math.floor(at / period) + delta
}
