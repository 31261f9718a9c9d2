import type { Offers } from '../pages/sign_in/sign_in_view.ts'
import { presetOf } from '../providers/presets.ts'
import type { Rooms } from './rooms.ts'

const daySeconds = 86_400

/** What people can do when they sign in. */
export const offersOf =
  ({ settings, providers, passkeys }: Pick<Rooms, 'settings' | 'providers' | 'passkeys'>) =>
  async (): Promise<Offers> => {
    const days = {
      remember: await settings.value('remember_days'),
      trust: await settings.value('trust_days'),
    }
    const most = (await settings.value('remember_max_days')) * daySeconds
    return {
      site: await settings.value('site_name'),
      registration: await settings.value('registration_mode'),
      magicLinks: await settings.value('magic_links'),
      mailCodes: await settings.value('mail_codes'),
      remember: days.remember > 0 ? { seconds: days.remember * daySeconds, most } : undefined,
      trust: days.trust > 0 ? days.trust * daySeconds : undefined,
      elsewhere: (await settings.value('elsewhere')) !== 'off',
      rpIds: await passkeys.rpIds.offered(),
      providers: (await providers.enabled()).map(({ provider, title, preset, second_factor_values }) => ({
        provider,
        title,
        asks_anew: presetOf(preset).asks_anew,
        gives_second: second_factor_values.length > 0,
      })),
    }
  }
