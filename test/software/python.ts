import { spawnSync } from 'node:child_process'

/** Debian's Python, which finds Debian's packages. */
export const python = '/usr/bin/python3'

/** Why tests with these modules of Debian's Python cannot run here, or false if they can. */
export const pythonMissing = (...modules: readonly string[]): string | false => {
  const { status } = spawnSync(python, ['-c', `import ${modules.join(', ')}`])
  const packages = modules.map((name) => `python3-${name.replaceAll('_', '-')}`)
  return status === 0 ? false : `not installed (Debian: apt-get install ${packages.join(' ')})`
}
