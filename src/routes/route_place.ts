import type { Place } from '../contract/place.ts'
import { takesGuests } from './auth_modes.ts'
import type { Route } from './route.ts'

/** What the judge needs to know of a route. */
export const placeOf = ({
  service,
  auth_mode,
  required_claims,
  allowed_emails,
  proof,
  proof_age,
}: Route): Place => ({
  service,
  guests: takesGuests(auth_mode),
  required_claims,
  allowed_emails,
  proof,
  proof_age,
})
