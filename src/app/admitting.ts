import type { Database } from '../storage/database.ts'
import { tellWaiting } from '../auth/sign_up/waiting_mails.ts'
import { Admission, type Rights } from '../auth/sign_up/admission.ts'
import { InvitationLinks } from '../auth/sign_up/invitation_links.ts'
import { Registration } from '../auth/sign_up/registration.ts'
import { RegistrationRequests } from '../auth/sign_up/registration_requests.ts'
import type { Maker } from '../invitations/invitations.ts'
import type { Rooms } from './rooms.ts'

/** What the flows by mail share. */
type ForMail = Omit<
  ConstructorParameters<typeof Registration>[0] & ConstructorParameters<typeof InvitationLinks>[0],
  keyof Rooms | 'admission' | 'publicUrl'
>

/** Builds how people sign up, by an invitation or without one. */
export const createSignUp = (rooms: Rooms, forMail: ForMail, publicUrl: string) => {
  const admission = createAdmission(rooms, forMail.database)
  const parts = { ...rooms, ...forMail, admission, publicUrl }
  return {
    admission,
    registration: new Registration(parts),
    invitationLinks: new InvitationLinks(parts),
    registrationRequests: new RegistrationRequests(parts),
  }
}

/** What one who made an invitation or a recovery link may do now. A person whose account is off, over or gone is nobody. */
export const createMakerRights =
  ({ people, claims, services, clients }: Pick<Rooms, 'people' | 'claims' | 'services' | 'clients'>) =>
  async ({ kind, name, user_id }: Maker): Promise<Rights | undefined> => {
    if (kind === 'operator') return 'all'
    if (kind === 'service') return (await services.findByName(name))?.claims
    if (kind === 'client') return (await clients.find(name))?.claims
    const person = user_id === null ? undefined : await people.find(user_id)
    return person && claims.of(person.user_id)
  }

const createAdmission = (rooms: Rooms, database: Database): Admission =>
  new Admission({
    ...rooms,
    claimsOf: createMakerRights(rooms),
    tellWaiting: (invitation) => tellWaiting(database, rooms.mails, invitation),
    mode: () => rooms.settings.value('registration_mode'),
    defaultGroups: async () =>
      (await rooms.settings.value('default_groups')).split(/, ?/).filter((slug) => slug !== ''),
  })
