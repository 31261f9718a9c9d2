import { Type, type Static } from '../type.ts'
import { Id, Named, Time, Username } from '../schemas.ts'

export const Session = Named('Session', {
  id: Id,
  user: Username,
  kind: Type.Enum(['cookie', 'token'], {
    description: 'cookie: a browser signed in here; token: a program did',
  }),
  provider: Type.String({ description: 'How the person signed in: password or setup' }),
  address: Type.String(),
  user_agent: Type.String(),
  created_at: Time,
  expires_at: Time,
})
export type Session = Static<typeof Session>
