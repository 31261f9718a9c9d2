import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The file in which each method stands, by its name. Throws for a name that stands nowhere, or in several files. */
export const methodFiles = (root: string, names: readonly string[]): ReadonlyMap<string, string> => {
  const sources = globSync('src/**/*.ts', { cwd: root })
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }))
    .filter(({ text }) => text.includes('method({'))
  return new Map(
    names.map((name) => {
      // As a field, or as an argument of a function that a file defines for methods which look alike.
      const definition = new RegExp(`(?:\\bname: |[(,]\\s*)'${name.replaceAll('.', '\\.')}'`)
      const [found, another] = sources.filter(({ text }) => definition.test(text))
      if (!found || another)
        throw new Error(`the method ${name} stands in ${found ? 'more than one file' : 'no file'}`)
      return [name, found.path]
    }),
  )
}
