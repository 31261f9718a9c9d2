// Runs before `npm start` and `npm test`, on whatever Node the machine has: plain JavaScript, built-ins only.
// Installs the locked packages when the lock file differs from the one that node_modules was made from.
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
  console.log('hero_proxy: installing its packages, about half a minute the first time …')
  const npm = spawnSync('npm', ['ci', '--no-fund', '--no-audit', '--loglevel=error'], {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  })
  if (npm.status !== 0) {
    console.error('hero_proxy: `npm ci` failed; its own words are above.')
    process.exit(npm.status ?? 1)
  }
  writeFileSync(stamp, wanted)
}
