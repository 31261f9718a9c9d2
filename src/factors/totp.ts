import { Secret, TOTP } from 'otpauth'

/** Time-based codes (RFC 6238) as every app supports them: SHA-1, six digits, 30 seconds. */
const periodSeconds = 30

const of = (secret: string, issuer: string, label: string) =>
  new TOTP({
    issuer,
    label,
    algorithm: 'SHA1',
    digits: 6,
    period: periodSeconds,
    secret: Secret.fromBase32(secret),
  })

/** 160 bits, in Base32: RFC 4226 section 4, R6. */
export const newSecret = (): string => new Secret({ size: 20 }).base32

/** The URI that an app reads, as a link or a QR code. */
export const enrolmentUri = (secret: string, site: string, username: string): string =>
  of(secret, site, username).toString()

/** The time step of a code, at most one step early or late (RFC 6238 section 5.2); undefined for a wrong code. */
export const stepOf = (secret: string, code: string, at: number): number | undefined => {
  if (!/^\d{6}$/.test(code)) return undefined
  const delta = of(secret, '', '').validate({ token: code, timestamp: at * 1000, window: 1 })
  return delta === null ? undefined : Math.floor(at / periodSeconds) + delta
}
