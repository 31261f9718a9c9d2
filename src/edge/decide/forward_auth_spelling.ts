import { readings } from '../../routes/path_readings.ts'

/** Whether a path could be a spelling of ours at all. Every request is asked, so this ends at the first letter for most. */
const may = /^\/+(?:[%;]|a(?:[%;]|u(?:[%;]|t(?:[%;]|h[%;/]))))/i

/** Our path, what is below it, and what a lenient service makes of a dot or blank behind it. Not `/auth/forwards`. */
const ours = /^\/auth\/forward(?![a-z0-9_-])/

/**
 * Whether a service could read this path as that of forward auth. It must never get such a request: a service that answers every
 * path would answer 200, and the proxy that asked would let everything pass.
 */
export const spellsForwardAuth = (path: string): boolean =>
  may.test(path) && (ours.test(path) || [...readings(path)].some((reading) => ours.test(reading)))
