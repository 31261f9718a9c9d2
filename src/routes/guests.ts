import { authModes } from './auth_modes.ts'
import type { Route } from './route.ts'

/** Whether a route asks for a claim or an address, which guests and static tokens cannot have. */
export const asksForPerson = ({ required_claims, allowed_emails }: Route): boolean =>
  required_claims.length > 0 || allowed_emails.length > 0

/** Whether a route serves people whom nobody knows. */
export const guestsPass = (route: Route): boolean =>
  !asksForPerson(route) && authModes[route.auth_mode].without === 'forward as guest'
