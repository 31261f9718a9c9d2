import { ElsewhereAdmission } from '../auth/elsewhere/admission.ts'
import { ElsewhereRequests } from '../auth/elsewhere/elsewhere_requests.ts'
import type { SignIn } from '../auth/sign_in.ts'
import type { Ground, Rooms } from './rooms.ts'

/** How a phone signs in another browser. */
export const createElsewhere = (
  { config, database }: Pick<Ground, 'config' | 'database'>,
  { settings }: Pick<Rooms, 'settings'>,
  signIn: SignIn,
): ElsewhereRequests =>
  new ElsewhereRequests({
    database,
    signIn,
    admission: new ElsewhereAdmission(database, () => settings.value('elsewhere')),
    publicUrl: config.public_url,
  })
