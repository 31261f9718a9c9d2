import type { SessionOrigin } from './opened_session.ts'

export type LimitSetting = 'session_lifetime' | 'session_idle' | 'remember_days' | 'remember_max_days'

const daySeconds = 86_400

/** How long sign-ins last: those that people asked to keep, and all others. In seconds. */
export class SessionLimits {
  readonly #setting: (name: LimitSetting) => Promise<number>

  /** `setting` reads a setting. */
  constructor(setting: (name: LimitSetting) => Promise<number>) {
    this.#setting = setting
  }

  /** Whether a sign-in is kept: its person asked for it, and the settings allow it. Only browsers keep one. */
  async keeps({ kind, remember = false }: Pick<SessionOrigin, 'kind' | 'remember'>): Promise<boolean> {
    return remember && kind === 'cookie' && (await this.#setting('remember_days')) > 0
  }

  /** How long a new sign-in lasts. */
  async lifetime(remembered: boolean): Promise<number> {
    return remembered
      ? (await this.#setting('remember_max_days')) * daySeconds
      : this.#setting('session_lifetime')
  }

  /** How long it lasts without use. While nobody may stay signed in, nobody does. */
  async idle(remembered: boolean): Promise<number> {
    return remembered ? (await this.#setting('remember_days')) * daySeconds : this.#setting('session_idle')
  }
}
