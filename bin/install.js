// Runs before `npm start` and `npm test`, on any version of Node: plain JavaScript, built-in modules only.
// Installs the locked packages if the lock file has changed since the last installation.
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const root = join(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '..')
const stamp = join(root, 'node_modules', '.installed')
const wanted = createHash('sha256')
  .update(readFileSync(join(root, 'package-lock.json')))
  .update(`${process.platform} ${process.arch}`)
  .digest('hex')

if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== wanted) {
  console.log('hero_proxy: installing packages; the first time this takes about half a minute …')
  const npm = spawnSync('npm', ['ci', '--no-fund', '--no-audit', '--loglevel=error'], {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  })
  if (npm.status !== 0) {
    console.error('hero_proxy: `npm ci` failed; see its output above.')
    process.exit(npm.status ?? 1)
  }
  writeFileSync(stamp, wanted)
}

// Only makes the start faster: the daemon also runs from its sources.
await import('./bundle.js')
  .then(({ bundleSources }) => bundleSources(root))
  .catch((error) => console.error(`hero_proxy: the daemon will start more slowly: ${error.message}`))
