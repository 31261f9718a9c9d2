// Loaded before everything else: resolves the imports of our own modules and those of Kysely, about five hundred. Node
// would find the same files, but with three to six disk accesses each, for links and for package.json files.
import { registerHooks } from 'node:module'
import { extname } from 'node:path'

interface ModuleFolder {
  /** The folder, as a URL that ends with a slash. Its relative imports name files exactly, without links. */
  readonly folder: string
  readonly extension: string
  readonly format: 'module' | 'module-typescript'
}

const extension = extname(import.meta.url)
const moduleFolders: readonly ModuleFolder[] = [
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
      for (const { folder, extension, format } of moduleFolders)
        if (parentURL.startsWith(folder) && specifier.endsWith(extension))
          return { url: new URL(specifier, parentURL).href, format, shortCircuit: true }
    }
    return next(specifier, context)
  },
})
