import { readings, someReading } from '../../routes/path_readings.ts'
import { spellsReserved } from '../../routes/reserved_paths.ts'

/** Whether a path could be a spelling of ours at all. Every request is asked, so this ends at the first letter for most. */
const may = /^\/+(?:[%;]|a(?:[%;]|u(?:[%;]|t(?:[%;]|h[%;/]))))/i

/** Our path, what is below it, and what a lenient service makes of a dot or blank behind it. Not `/auth/forwards`. */
const ours = /^\/auth\/forward(?![a-z0-9_-])/

/**
 * Whether a service could read this path as that of forward auth. It must never get such a request: a service that answers every
 * path would answer 200, and the proxy that asked would let everything pass.
 */
export const spellsForwardAuth = (path: string): boolean =>
  may.test(path) && (ours.test(path) || someReading(path, (reading) => ours.test(reading)))

/** Whether a path may spell one of ours and has too many readings to look at. It is refused before anything else is asked. */
export const isUnreadable = (path: string): boolean =>
  (may.test(path) || spellsReserved(path)) && readings(path) === undefined
