/** The longest slug; a route's name is one. */
const maxLength = 63

/** The name of a route that is added without one: its domain and path, such as `wiki-example-org-api`. */
export const nameFor = (domain: string, pathPrefix: string): string =>
  `${domain.replace(/^\*/, 'any')}${pathPrefix}`
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, maxLength)
    .replace(/-$/, '')

/** The same name with a number, for the second route that would have it, the third, and so on. */
export const numbered = (name: string, number: number): string =>
  number === 1 ? name : `${name.slice(0, maxLength - 1 - String(number).length)}-${number}`
