// Joins the modules of the daemon, and those of Kysely, into a few files, which load in half the time of a thousand.
// Plain JavaScript, because the launcher and the installer use it before they know which Node runs them.
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { pathToFileURL } from 'node:url'

const weekMs = 7 * 24 * 3600_000
/** What changes with each installation of packages, whose own files carry no useful dates, and how we bundle. */
const besides = [join('node_modules', '.package-lock.json'), join('bin', 'bundle.js')]

/** The folder for what is derived from the sources: compiled code and bundles. */
export const cacheFolder = (root) => join(root, 'node_modules', '.cache', 'hero-proxy')
const sourcesFolder = (root) => join(cacheFolder(root), 'bundle')
const packageFolder = (root) => join(root, 'dist', 'bundle')
const isCheckout = (root) => existsSync(join(root, 'bin', 'hero-proxy.ts'))

/** Code in the folder is executed, so nobody else may be able to write to it. What others could have written is removed first. */
export const isOursAlone = (folder) => {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const { uid, mode } = lstatSync(folder)
    if (uid !== process.getuid()) return false
    if ((mode & 0o077) === 0) return true
    chmodSync(folder, 0o700)
    for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true, force: true })
    return true
  } catch {
    return false
  }
}

/** Size and change time, which no program can set to an earlier value. */
const stampOf = (file) => {
  const { ctimeMs, size } = statSync(file)
  return [ctimeMs, size]
}

const isUnchanged = (root, [file, ctimeMs, size]) => {
  const [now, bytes] = stampOf(join(root, file))
  return now === ctimeMs && bytes === size
}

/** Returns the URL of the bundle's first module, or undefined if there is no bundle of the sources as they are now. */
export const bundleUrl = (root) => {
  const folder = isCheckout(root) ? sourcesFolder(root) : packageFolder(root)
  try {
    const { entry, inputs } = JSON.parse(readFileSync(join(folder, 'bundle.json'), 'utf8'))
    if (!inputs.every((input) => isUnchanged(root, input))) return undefined
    return existsSync(join(folder, entry)) ? pathToFileURL(join(folder, entry)).href : undefined
  } catch {
    return undefined
  }
}

/** Lets a module find the files beside it from inside the bundle: threads, workers, WebAssembly, openrpc.json. */
const keepLocations = (root, folder, locationOf) => ({
  name: 'keep locations',
  setup: ({ onLoad, onResolve }) => {
    onLoad({ filter: /\.ts$/ }, ({ path }) => {
      const location = relative(folder, locationOf(path)).split(sep).join('/')
      const contents = readFileSync(path, 'utf8')
        .replaceAll('import.meta.url', `new URL(${JSON.stringify(location)}, import.meta.url).href`)
        .replaceAll(
          'import.meta.dirname',
          `process.getBuiltinModule('node:url').fileURLToPath(new URL(${JSON.stringify(dirname(location))}, import.meta.url))`,
        )
      return { contents, loader: 'ts' }
    })
    // Other packages are few modules each, or load later.
    onResolve({ filter: /^[^./]/ }, ({ path }) =>
      path.split('/')[0] === 'kysely' ? undefined : { path, external: true },
    )
  },
})

const build = async (root, folder, locationOf) => {
  const { build: run } = await import('esbuild')
  const began = Date.now()
  const { metafile } = await run({
    absWorkingDir: root,
    entryPoints: ['bin/hero-proxy.ts'],
    outdir: folder,
    entryNames: '[name]-[hash]',
    chunkNames: '[name]-[hash]',
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    sourcemap: true,
    sourcesContent: false,
    metafile: true,
    logLevel: 'error',
    plugins: [keepLocations(root, folder, locationOf)],
  })
  const outputs = Object.entries(metafile.outputs).map(([file, { entryPoint }]) => ({
    name: relative(folder, join(root, file)),
    entryPoint,
  }))
  const entry = outputs.find(({ entryPoint }) => entryPoint === 'bin/hero-proxy.ts').name
  return { began, entry, files: Object.keys(metafile.inputs), names: outputs.map(({ name }) => name) }
}

const writeManifest = (folder, manifest) => {
  const draft = join(folder, `bundle.json.${process.pid}`)
  writeFileSync(draft, JSON.stringify(manifest))
  renameSync(draft, join(folder, 'bundle.json'))
}

/** What the bundle consists of now; nothing if there is none. */
const currentNames = (folder) => {
  try {
    return JSON.parse(readFileSync(join(folder, 'bundle.json'), 'utf8')).names ?? []
  } catch {
    return []
  }
}

/** A daemon that still runs may load its parts later, so what is no longer current stays for a week. */
const removeOld = (folder, names, previous) => {
  const current = new Set(['bundle.json', ...names])
  const at = new Date()
  for (const name of previous) if (existsSync(join(folder, name))) utimesSync(join(folder, name), at, at)
  for (const name of readdirSync(folder)) {
    const file = join(folder, name)
    if (!current.has(name) && Date.now() - statSync(file).mtimeMs > weekMs) rmSync(file, { force: true })
  }
}

/** Bundles the sources of a checkout, unless that is done. Without it the daemon starts from the sources, more slowly. */
export const bundleSources = async (root) => {
  const folder = sourcesFolder(root)
  if (!isOursAlone(cacheFolder(root)) || bundleUrl(root) !== undefined) return
  const { began, entry, files, names } = await build(root, folder, (file) => file)
  const inputs = [...files, ...besides].map((file) => [file, ...stampOf(join(root, file))])
  // What changes while it is read may have been read before.
  if (inputs.some(([, ctimeMs]) => ctimeMs >= began)) return
  const previous = currentNames(folder)
  writeManifest(folder, { entry, names, inputs })
  removeOld(folder, names, previous)
}

/** Bundles the package, whose compiled modules are in `dist`. */
export const bundlePackage = async (root) => {
  const folder = packageFolder(root)
  const compiled = (file) => join(root, 'dist', relative(root, file)).replace(/\.ts$/, '.js')
  const { entry, names } = await build(root, folder, compiled)
  writeManifest(folder, { entry, names, inputs: [] })
}
