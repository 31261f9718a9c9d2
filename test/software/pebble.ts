import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { kill } from '../support/daemon_process.ts'
import type { TestAuthority } from '../support/pem.ts'
import { freePort } from '../support/free_port.ts'

const programs = ['/usr/bin/pebble', '/usr/bin/pebble-challtestsrv']

/** Why no certificates can be ordered here, or undefined if they can. */
export const pebbleMissing = (): string | undefined =>
  programs.every((path) => existsSync(path))
    ? undefined
    : 'pebble is not installed (Debian: apt-get install pebble)'

const untilListening = async (port: number): Promise<void> => {
  for (let i = 0; i < 600; i++) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1')
      socket.on('connect', () => resolve(true)).on('error', () => resolve(false))
      socket.on('connect', () => socket.destroy())
    })
    if (open) return
    await sleep(50)
  }
  throw new Error(`nothing listens on port ${port}`)
}

export interface Pebble extends AsyncDisposable {
  readonly directory: string
  /** The root certificate of all that it issues. */
  root(): Promise<string>
  /** Makes a name resolve to another address than 127.0.0.1. */
  resolveTo(name: string, address: string): Promise<void>
}

/** Debian's ACME server, with a name server that resolves every name to 127.0.0.1; it requests challenges at `httpPort`. */
export const startPebble = async (authority: TestAuthority, httpPort: number): Promise<Pebble> => {
  const [listen, manage, dns, records] = await Promise.all([freePort(), freePort(), freePort(), freePort()])
  const { cert, key } = authority.issue('localhost')
  const config = join(authority.dir, 'pebble.json')
  const pebble = {
    listenAddress: `127.0.0.1:${listen}`,
    managementListenAddress: `127.0.0.1:${manage}`,
    certificate: cert,
    privateKey: key,
    httpPort,
    tlsPort: 1,
    ocspResponderURL: '',
    externalAccountBindingRequired: false,
  }
  writeFileSync(config, JSON.stringify({ pebble }))
  const off = ['-http01', '', '-https01', '', '-tlsalpn01', '', '-defaultIPv6', '']
  const own = ['-dns01', `127.0.0.1:${dns}`, '-management', `127.0.0.1:${records}`]
  const start = (program: string, args: string[], env = {}): ChildProcess =>
    spawn(program, args, { stdio: 'ignore', env: { ...process.env, ...env } })
  const children = [
    start('pebble-challtestsrv', [...off, ...own]),
    start('pebble', ['-config', config, '-dnsserver', `127.0.0.1:${dns}`], { PEBBLE_VA_NOSLEEP: '1' }),
  ]
  await Promise.all([untilListening(listen), untilListening(records)])
  return {
    directory: `https://localhost:${listen}/dir`,
    root: () =>
      new Promise((resolve, reject) => {
        const asked = request(`https://localhost:${manage}/roots/0`, { ca: authority.caPem }, (response) => {
          let text = ''
          response.on('data', (chunk) => (text += String(chunk))).on('end', () => resolve(text))
        })
        asked.on('error', reject).end()
      }),
    resolveTo: async (name, address) => {
      const body = JSON.stringify({ host: `${name}.`, addresses: [address] })
      await fetch(`http://127.0.0.1:${records}/add-a`, { method: 'POST', body })
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(children.map((child) => kill(child, 'SIGKILL')))
    },
  }
}
