import { signedOutCookie } from '../../wire/cookies.ts'
import type { Keepsake } from '../keepsake.ts'
import type { PageRequest } from '../page_request.ts'

/** How somebody left: they signed out, or want to sign in as somebody else. */
export type Leaving = 'sign_out' | 'switch'

/** For ten minutes, no provider is taken unasked: it may still know the person, and would sign them in again at once. */
export const left = (how: Leaving): Keepsake => ({ name: signedOutCookie, value: how, maxAge: 600 })

/** How somebody has left in this browser a moment ago, if they have. */
export const leftHow = async (page: PageRequest): Promise<Leaving | undefined> => {
  const how = (await page.keepsakes())(signedOutCookie)
  return how === 'sign_out' || how === 'switch' ? how : undefined
}

/** Somebody has signed in again. */
export const backAgain = async (page: PageRequest): Promise<readonly Keepsake[]> =>
  (await leftHow(page)) === undefined ? [] : [{ name: signedOutCookie, value: '', maxAge: 0 }]
