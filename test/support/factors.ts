import { Secret, TOTP } from 'otpauth'
import type { HeroProxy } from '../../sdk/index.ts'

/** The code that an authenticator app shows now, or some steps of 30 seconds later. */
export const codeOf = (secret: string, steps = 0): string =>
  new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: Date.now() + steps * 30_000 })

/** Adds an authenticator app for a signed-in user and returns its seed. The next valid code is one of a later step. */
export const enrol = async (hero: HeroProxy): Promise<string> => (await enrolled(hero)).secret

export const enrolled = async (hero: HeroProxy) => {
  const { secret } = await hero.factors.add_totp()
  const { recovery_codes } = await hero.factors.confirm_totp({ code: codeOf(secret) })
  return { secret, recovery_codes }
}
