import { Secret, TOTP } from 'otpauth'
import type { HeroProxy } from '../../sdk/index.ts'

/** The code that an authenticator app shows, or shows some steps of half a minute later. */
export const codeOf = (secret: string, steps = 0): string =>
  new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: Date.now() + steps * 30_000 })

/** Gives a signed-in person an authenticator app, and tells its seed. The next code that counts is one of a later step. */
export const enrol = async (hero: HeroProxy): Promise<string> => (await enrolled(hero)).secret

export const enrolled = async (hero: HeroProxy) => {
  const { secret } = await hero.factors.add_totp()
  const { recovery_codes } = await hero.factors.confirm_totp({ code: codeOf(secret) })
  return { secret, recovery_codes }
}
