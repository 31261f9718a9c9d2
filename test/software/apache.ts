import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { kill } from '../support/daemon_process.ts'

const binary = '/usr/sbin/apache2'
const modules = '/usr/lib/apache2/modules'

/** Why tests with Apache and this module cannot run here, or undefined if they can. */
export const apacheMissing = (module: string, debianPackage: string): string | undefined =>
  existsSync(binary) && existsSync(join(modules, `mod_${module}.so`))
    ? undefined
    : `Apache with mod_${module} is not installed (Debian: apt-get install ${debianPackage})`

export interface TestApache extends AsyncDisposable {
  readonly origin: string
  log(): string
}

/** Prints what Apache passes to an application: the environment of a CGI program, one variable per line. */
const program = '#!/bin/sh\necho "Content-Type: text/plain"\necho\nenv\n'

const base = (dir: string, port: number, loaded: readonly string[]) => `
ServerRoot ${dir}
DefaultRuntimeDir ${dir}
PidFile ${dir}/pid
ErrorLog ${dir}/error.log
LogLevel info
ServerName localhost
Listen 127.0.0.1:${port}
${['mpm_prefork', 'authn_core', 'authz_core', 'authz_user', 'alias', 'cgi', ...loaded]
  .map((name) => `LoadModule ${name}_module ${modules}/mod_${name}.so`)
  .join('\n')}
User www-data
Group www-data
StartServers 2
MinSpareServers 1
MaxSpareServers 2
ScriptAliasMatch "^/" "${dir}/program/env"
`

/** Debian's Apache on this port, with a folder of its own; every path runs one program that prints its environment. */
export const startApache = async (
  port: number,
  loaded: readonly string[],
  config: string,
): Promise<TestApache> => {
  const dir = mkdtempSync(join(tmpdir(), 'apache-'))
  // Its children run as another user.
  chmodSync(dir, 0o755)
  mkdirSync(join(dir, 'program'))
  writeFileSync(join(dir, 'program/env'), program, { mode: 0o755 })
  writeFileSync(join(dir, 'httpd.conf'), base(dir, port, loaded) + config)
  const child = spawn(binary, ['-f', join(dir, 'httpd.conf'), '-D', 'FOREGROUND'], {
    stdio: ['ignore', 'ignore', 'pipe'],
    // On exit it kills its whole process group, which must not be that of the test.
    detached: true,
  })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text))
  const log = () => {
    const file = join(dir, 'error.log')
    return said + (existsSync(file) ? readFileSync(file, 'utf8') : '')
  }
  const stop = async () => {
    await kill(child, 'SIGTERM')
    rmSync(dir, { recursive: true, force: true })
  }
  for (let i = 0; !(await listens(port)); i++) {
    if (child.exitCode !== null || i === 200) {
      const text = log()
      await stop()
      throw new Error(`Apache did not start: ${text}`)
    }
    await delay(25)
  }
  return { origin: `http://localhost:${port}`, log, [Symbol.asyncDispose]: stop }
}

const listens = async (port: number): Promise<boolean> => {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
