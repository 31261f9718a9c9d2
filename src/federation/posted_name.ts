import { nameFrom } from '../contract/names.ts'

/** The parameter in which the name comes again, when the form becomes a link. */
export const nameParameter = 'display_name'

type Fields = Readonly<Record<string, unknown>>

/**
 * The name in `user`, which Apple posts beside its answer when a person signs in for the first time: `{"name": {"firstName": …,
 * "lastName": …}}`. Nobody has signed it, so it may only name a new account. Empty if there is none.
 */
export const postedName = (user: string): string => {
  try {
    const { name } = JSON.parse(user) as { name?: Fields }
    const parts = [name?.firstName, name?.lastName].filter((part) => typeof part === 'string')
    return nameFrom(parts.join(' '))
  } catch {
    return ''
  }
}
