import { goesHome, farewell } from '../sign_in/farewell.ts'
import type { HomeParts } from '../handover/at_home.ts'
import type { FederationParts } from '../sign_in/provider_parts.ts'
import { engine } from './openid.ts'

/**
 * The button by which a person signs out at the request of an application (RP-Initiated Logout section 2). It ends as our own sign-out
 * does: the services' dead cookies go, and no provider is taken unasked for a while. A person who goes back to the application does not
 * visit the provider on the way, because only one of the two can be the last page.
 */
export const confirmSignOut =
  ({ logouts }: Pick<FederationParts, 'logouts'>, { leftHosts }: HomeParts): typeof engine =>
  async (openId, page, request, response, asked) => {
    const session = await page.session()
    if (!session) return engine(openId, page, request, response, asked)
    const signInId = session.sign_in.id
    const opened = await leftHosts.openedBy(signInId)
    const leave = await logouts.leave(signInId)
    await engine(openId, page, request, response, asked, async (to) => {
      const there = goesHome(page, to) ? await leave?.() : undefined
      await farewell(page, 'sign_out', to, opened, there)
    })
  }
