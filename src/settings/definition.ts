import { invalidParams } from '../contract/errors.ts'

export type Value = string | number | boolean

export interface Definition<V extends Value> {
  readonly default: V
  readonly description: string
  readonly allowed: string
  /** Stored sealed, and shown only as `set`. */
  readonly secret?: true
  /** Throws invalid_params that says what is allowed. `hosts` are those of the public URLs. */
  readonly check: (value: unknown, hosts: ReadonlySet<string>) => void
}

export const define = <V extends Value>(
  fallback: V,
  description: string,
  allowed: string,
  valid: (value: unknown, hosts: ReadonlySet<string>) => boolean,
): Definition<V> => ({
  default: fallback,
  description,
  allowed,
  check: (value, hosts) => {
    if (!valid(value, hosts)) throw invalidParams('value', allowed)
  },
})

export const integer = (fallback: number, min: number, max: number, description: string) =>
  define<number>(
    fallback,
    description,
    `an integer from ${min} to ${max}`,
    (value) => Number.isInteger(value) && (value as number) >= min && (value as number) <= max,
  )

export const yesNo = (fallback: boolean, description: string) =>
  define<boolean>(fallback, description, 'true or false', (value) => typeof value === 'boolean')

export const oneOf = <const V extends string>(fallback: V, options: readonly V[], description: string) =>
  define<V>(fallback, description, `one of ${options.join(', ')}`, (value) => options.includes(value as V))

export const text = (fallback: string, pattern: RegExp, allowed: string, description: string) =>
  define<string>(
    fallback,
    description,
    allowed,
    (value) => typeof value === 'string' && value.length <= 254 && pattern.test(value),
  )

export const secret = (description: string) => ({
  ...define<string>(
    '',
    description,
    'at most 1024 characters without line breaks; empty for none',
    (value) => typeof value === 'string' && value.length <= 1024 && !/[\u0000-\u001f\u007f]/.test(value),
  ),
  secret: true as const,
})

const luminance = (colour: string): number => {
  const [r, g, b] = [1, 3, 5].map((i) => {
    const part = Number.parseInt(colour.slice(i, i + 2), 16) / 255
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!
}

/** WCAG 2.2 section 1.4.3: whether text in this colour is readable on this background. */
const readable = (colour: string, background: string): boolean => {
  const [first = 0, second = 0] = [luminance(colour), luminance(background)]
  return (Math.max(first, second) + 0.05) / (Math.min(first, second) + 0.05) >= 4.5
}

export const accent = (background: string, backgroundName: string, description: string) =>
  define<string>(
    '',
    description,
    `#rrggbb with a contrast of at least 4.5 to ${backgroundName}; empty for the default`,
    (value) =>
      value === '' ||
      (typeof value === 'string' && /^#[0-9a-f]{6}$/i.test(value) && readable(value, background)),
  )
