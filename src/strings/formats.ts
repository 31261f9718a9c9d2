type Forms = Partial<Record<Intl.LDMLPluralRule, string>> & { readonly other: string }

const day = 86_400

/** Makes a formatter at its first use, because each takes about a millisecond. */
const once = <T>(make: () => T): (() => T) => {
  let made: T | undefined
  return () => (made ??= make())
}

/** The time zone of the reader of what is being rendered. */
let zone = 'UTC'

/**
 * Renders with times in this zone; in UTC without one. The texts of a page are functions of values and know no reader. Rendering is
 * synchronous, so that no other page can come in between.
 */
export const inZone = <T>(name: string | undefined, render: () => T): T => {
  const before = zone
  zone = name ?? 'UTC'
  try {
    return render()
  } finally {
    zone = before
  }
}

/** Formats counts, lists, durations and times as a language does; `locale` is a BCP 47 tag. */
export const formatsOf = (locale: string) => {
  const rules = once(() => new Intl.PluralRules(locale))
  const lists = once(() => new Intl.ListFormat(locale, { type: 'conjunction' }))
  const choices = once(() => new Intl.ListFormat(locale, { type: 'disjunction' }))
  /** By zone; there are some four hundred. */
  const times = new Map<string, Intl.DateTimeFormat>()
  const timesIn = (timeZone: string): Intl.DateTimeFormat => {
    const known = times.get(timeZone)
    if (known) return known
    const made = new Intl.DateTimeFormat(locale, {
      year: 'numeric',
      month: 'short',
      day: 'numeric',
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
      timeZone,
      timeZoneName: 'short',
    })
    times.set(timeZone, made)
    return made
  }
  const inUnit = (count: number, unit: string) =>
    new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'long' }).format(Math.round(count))
  return {
    /** Returns the plural form for a count. */
    plural: (count: number, forms: Forms): string => forms[rules().select(count)] ?? forms.other,
    /** `a, b and c`. */
    list: (items: readonly string[]): string => lists().format(items),
    /** `a, b or c`. */
    choice: (items: readonly string[]): string => choices().format(items),
    /** A number of seconds in the unit that fits: `15 minutes`, `24 hours`, `7 days`. */
    duration: (seconds: number): string => {
      if (seconds < 60) return inUnit(seconds, 'second')
      if (seconds < 2 * 3600) return inUnit(seconds / 60, 'minute')
      return seconds < 2 * day ? inUnit(seconds / 3600, 'hour') : inUnit(seconds / day, 'day')
    },
    /** A number of seconds to wait, rounded up, so that waiting for that long is enough. */
    wait: (seconds: number): string => {
      if (seconds < 60) return inUnit(Math.ceil(seconds), 'second')
      return seconds < 2 * 3600
        ? inUnit(Math.ceil(seconds / 60), 'minute')
        : inUnit(Math.ceil(seconds / 3600), 'hour')
    },
    /** A Unix time in seconds, to the minute, in the zone of the reader. */
    time: (seconds: number): string => timesIn(zone).format(seconds * 1000),
  }
}
