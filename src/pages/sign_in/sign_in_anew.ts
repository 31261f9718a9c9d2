import { anotherDevice } from '../../contract/caller.ts'
import type { PageRequest } from '../page_request.ts'
import type { Anew } from './sign_in_view.ts'

/** Whether another device signed in the person who is here. Nothing can be proved in such a sign-in. */
export const isByAnotherDevice = async (page: PageRequest): Promise<boolean> =>
  (await page.session())?.provider === anotherDevice

/** Why the person who is here may sign in anew; undefined for a guest, and for one who stays signed in already or may not. */
export const anewHere = async (page: PageRequest): Promise<Anew | undefined> => {
  const session = await page.session()
  if (!session || (await page.caller())?.on_behalf !== undefined) return undefined
  if (session.provider === anotherDevice) return 'another_device'
  return session.remembered || (await page.offers()).remember === undefined ? undefined : 'to_stay'
}

/** Where such a person signs in anew, instead of giving a proof. */
export const signInAnew = (returnTo: string): string =>
  `/auth/login?anew=1&return_to=${encodeURIComponent(returnTo)}`
