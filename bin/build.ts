// Compiles the package into dist/, because Node strips no types below node_modules.
import { spawnSync } from 'node:child_process'
import { copyFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const compile = (project: string) => {
  const { status } = spawnSync(join(root, 'node_modules', '.bin', 'tsc'), ['-p', join(root, project)], {
    stdio: 'inherit',
  })
  if (status !== 0) process.exit(status ?? 1)
}

rmSync(join(root, 'dist'), { recursive: true, force: true })
compile('tsconfig.build.json')
copyFileSync(join(root, 'openrpc.json'), join(root, 'dist', 'openrpc.json'))
for (const file of ['llhttp.wasm', 'LICENSE'])
  copyFileSync(join(root, 'src', 'wire', 'llhttp', file), join(root, 'dist', 'src', 'wire', 'llhttp', file))
compile('sdk/tsconfig.json')
const { bundlePackage } = await import(new URL('bundle.js', import.meta.url).href)
await bundlePackage(root)
