import { maySignIn, signInColumns, type UserRow } from '../storage/schema.ts'

/** A user who is recognised by something they own, without a session. */
export interface RecognisedUser {
  readonly user_id: string
  readonly username: string
  readonly email: string | null
  readonly email_verified_at: number | null
  readonly context: number
  /** Judged when it is read, because an account can end while its row is kept. */
  readonly may_sign_in: boolean
}

/** The columns that make a {@link RecognisedUser}. */
export const personColumns = ['users.id', 'users.username', 'users.context', ...signInColumns] as const

export type PersonRow = Pick<
  UserRow,
  'id' | 'username' | 'email' | 'email_verified_at' | 'context' | 'is_active' | 'awaits_approval' | 'ends_at'
>

export const toRecognisedUser = (row: PersonRow): RecognisedUser => ({
  user_id: row.id,
  username: row.username,
  email: row.email,
  email_verified_at: row.email_verified_at,
  context: row.context,
  get may_sign_in() {
    return maySignIn(row)
  },
})
