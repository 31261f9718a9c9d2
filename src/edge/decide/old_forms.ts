import type { Home } from '../../contract/home.ts'
import type { RoutePlan } from '../../routes/route_table.ts'
import type { ClientResponse } from '../../wire/client_response.ts'
import { formCookie, setCookie, showsFormCookie } from '../../wire/cookies.ts'
import type { EdgeRequest } from '../../wire/request.ts'
import { redirect } from '../../wire/responses.ts'
import { signInAddress } from './turn_away.ts'

// Until people signed in at home only, our forms were at the hosts of services too. A page from before may still be open there, and a
// form on it may hold a password. The service must not get it.

/** Whether a request could be one of our forms from before, posted at the host of a service. */
export const isOldForm = ({ method, host, cookies, secure }: EdgeRequest, home: Home): boolean =>
  method === 'POST' && cookies.length > 0 && !home.is(host) && showsFormCookie(cookies, secure)

/** Sends the person to sign in, and removes the form cookie, so that the next POST goes to the service. */
export const turnBackForm = (
  to: ClientResponse,
  request: EdgeRequest,
  plan: RoutePlan | 'ambiguous' | undefined,
  home: Home,
): void => {
  const location =
    typeof plan === 'object' ? signInAddress(request.host, plan, home) : `${home.origin}/auth/login`
  const names = [formCookie(true), formCookie(false)]
  redirect(
    to,
    request,
    303,
    location,
    names.map((name) => setCookie(name, '', 0)),
  )
}
