import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The file that defines each method, by its name. Throws if no file or several files define a name. */
export const methodFiles = (root: string, names: readonly string[]): ReadonlyMap<string, string> => {
  const sources = globSync('src/**/*.ts', { cwd: root })
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }))
    .filter(({ text }) => text.includes('method({'))
  return new Map(
    names.map((name) => {
      // As a field, or as an argument of a function that defines similar methods.
      const definition = new RegExp(`(?:\\bname: |[(,]\\s*)'${name.replaceAll('.', '\\.')}'`)
      const [found, another] = sources.filter(({ text }) => definition.test(text))
      if (!found || another)
        throw new Error(`the method ${name} is defined in ${found ? 'more than one file' : 'no file'}`)
      return [name, found.path]
    }),
  )
}
