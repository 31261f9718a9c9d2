import { operator } from '../contract/caller.ts'
import { AccountEnds } from '../users/account_ends.ts'
import type { Flows } from './flows.ts'
import type { Ground, Rooms } from './rooms.ts'

const system = operator({ via: 'socket' })

/** Builds what attends to accounts that end at a time. */
export const createAccountEnds = (
  { database, log }: Pick<Ground, 'database' | 'log'>,
  { audit, mails, sessions }: Pick<Rooms, 'audit' | 'mails' | 'sessions'>,
  { devices }: Pick<Flows, 'devices'>,
) =>
  new AccountEnds({
    database,
    log,
    tell: async ({ id, email, display_name }, ends_at) => {
      if (email === null) return
      const language = await devices.languageOf(id)
      await mails.send('account_ends', email, { name: display_name, language, ends_at })
    },
    end: async ({ id, username }) => {
      await sessions.revokeAll(id, 'deactivated')
      await audit.append(system, 'users.end', `username=${username}`, 'ok')
    },
  })
