import { anotherDevice } from '../../sessions/session.ts'
import type { PageRequest } from '../page_request.ts'

/** Whether another device signed in the person who is here. Nothing can be proved in such a sign-in. */
export const isByAnotherDevice = async (page: PageRequest): Promise<boolean> =>
  (await page.session())?.provider === anotherDevice

/** Where such a person signs in anew, instead of giving a proof. */
export const signInAnew = (returnTo: string): string =>
  `/auth/login?anew=1&return_to=${encodeURIComponent(returnTo)}`
