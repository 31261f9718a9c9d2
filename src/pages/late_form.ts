import type { LiveSession } from '../sessions/live_session.ts'
import type { Refusal } from '../wire/refusal.ts'
import type { MadeFor } from './form_tokens.ts'
import { formOfAnother, sessionOver } from './page_refusals.ts'
import { returnPath } from './return_path.ts'

/** How a form is received. */
export interface FormRules {
  /** Whether the form serves guests too, so that a session that has ended since does not matter. */
  readonly forGuests?: boolean
  /** Where the person continues after signing in again; by default what the form says, or the account page. */
  readonly continueAt?: string
  /** Whether the form brings a file. */
  readonly upload?: boolean
  /** Shows the page again, filled in. Without it, a page shows the fields that were sent. */
  readonly again?: (form: URLSearchParams) => Promise<void>
}

/**
 * For whom a form says that it was made, when its cookie is gone, so that nothing proves it. Undefined if it does not say so in the
 * way of our forms.
 */
export const claimedFor = (token: string | null): MadeFor | undefined => {
  const [, told] = /^[A-Za-z0-9_-]{43}(?:\.([A-Za-z0-9_-]+))?$/.exec(token ?? '') ?? []
  if (told === undefined) return { session: '', user: '' }
  const [, session, user] =
    /^([0-9a-f-]{36}) ([a-zA-Z0-9][a-zA-Z0-9_-]{0,62})$/.exec(Buffer.from(told, 'base64url').toString()) ?? []
  return session === undefined || user === undefined ? undefined : { session, user }
}

/** Why a form that was made for one session must not be used now: somebody else is signed in, or nobody is. */
export const misuse = (
  madeFor: MadeFor,
  present: Pick<LiveSession, 'id' | 'username'> | undefined,
  form: URLSearchParams,
  { forGuests = false, continueAt }: FormRules,
): Refusal | undefined => {
  if (madeFor.session === '' || madeFor.session === present?.id) return undefined
  if (present) return formOfAnother(madeFor.user, present.username)
  return forGuests ? undefined : sessionOver(continueAt ?? returnPath(form.get('return_to'), '/auth/me'))
}
