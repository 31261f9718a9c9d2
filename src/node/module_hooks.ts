// Loaded before everything else: tells Node where our own modules and those of Kysely are, half a thousand of them.
// It would find the same files, but asks the disk three to six times for each: for links, and for the package.json above it.
import { registerHooks } from 'node:module'
import { extname } from 'node:path'

interface Known {
  /** The folder, as a URL that ends with a slash: what its modules import relatively are files as named, without links. */
  readonly folder: string
  readonly extension: string
  readonly format: 'module' | 'module-typescript'
}

const extension = extname(import.meta.url)
const known: readonly Known[] = [
  {
    folder: new URL('..', import.meta.url).href,
    extension,
    format: extension === '.ts' ? 'module-typescript' : 'module',
  },
  { folder: new URL('.', import.meta.resolve('kysely')).href, extension: '.js', format: 'module' },
]

registerHooks({
  resolve: (specifier, context, next) => {
    const { parentURL } = context
    if (specifier.startsWith('.') && parentURL !== undefined) {
      for (const { folder, extension, format } of known)
        if (parentURL.startsWith(folder) && specifier.endsWith(extension))
          return { url: new URL(specifier, parentURL).href, format, shortCircuit: true }
    }
    return next(specifier, context)
  },
})
