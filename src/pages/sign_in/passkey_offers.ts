import type { Caller } from '../../contract/caller.ts'
import type { PageRequest } from '../page_request.ts'
import type { PasskeyOffer } from './passkey_script.ts'

/** What the page needs to ask for passkeys of each of these names. */
export const passkeyOffers = (
  page: PageRequest,
  caller: Caller,
  rpIds: readonly string[],
  /** The sign-in that waits for its second factor. */
  sign_in?: string,
): Promise<PasskeyOffer[]> =>
  Promise.all(
    rpIds.map(async (rpId) => ({
      rpId,
      options: await page.call(
        'auth.passkey_options',
        { rp_id: rpId, ...(sign_in !== undefined && { sign_in }) },
        caller,
      ),
      away: rpId !== page.asked.host,
    })),
  )
