import { folded, readings, someReading } from './path_readings.ts'

/** All that lies here is ours on every host, in whatever spelling a service might read as it. */
const reservedStart = '/.hero_proxy'

const isReserved = (path: string): boolean => path === reservedStart || path.startsWith(`${reservedStart}/`)

/** The first segment of a path that somebody may have spelled in another way. */
const otherSpelling = /^[/\\]*[^/\\]*(?:%|;|hero_proxy)/i

/** Whether a service could read this path as one below ours. */
export const spellsReserved = (path: string): boolean =>
  otherSpelling.test(path) && someReading(path, isReserved)

/** What is left of most paths, which means the same with and without a prefix. */
const plainRest = /^(?:\/[a-zA-Z0-9_~-][a-zA-Z0-9._~-]*)*\/?$/
/** A second slash begins the name of a host (RFC 3986 section 4.2), also where a parser drops control characters. */
const hostStart = /^[/\\]{2}/

/** Whether the rest of a path means something else to a service once its prefix is gone: another host, or a path of ours. */
export const changesMeaning = (rest: string): boolean =>
  !plainRest.test(rest) &&
  (spellsReserved(rest) ||
    (readings(rest)
      ?.decodings.values()
      .some((text) => hostStart.test(folded(text).replaceAll(/[\u0000-\u001f\u007f]/g, ''))) ??
      true))
