import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { kill, root } from '../support/daemon_process.ts'
import { freePort } from '../support/free_port.ts'

export const kinds = ['nginx', 'caddy', 'haproxy'] as const
export type Kind = (typeof kinds)[number]

/** The documented configuration of a proxy, and what has to differ on this machine. */
interface Setup {
  readonly command: string
  readonly version: readonly string[]
  /** Files of docs/forward-auth; the first is the configuration. */
  readonly files: readonly string[]
  readonly replace: (at: Addresses, dir: string) => readonly (readonly [from: string, to: string])[]
  readonly around: (text: string, dir: string) => string
  readonly run: (file: string, dir: string) => readonly string[]
}

interface Addresses {
  /** The services at the one port behind, by the first label of their host. */
  readonly names: readonly string[]
  readonly port: number
  readonly hero: number
  readonly service: number
}

const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']

const setups: Readonly<Record<Kind, Setup>> = {
  nginx: {
    command: 'nginx',
    version: ['-v'],
    files: ['nginx.conf'],
    replace: ({ port, names }) => [
      ['listen 80;', `listen 127.0.0.1:${port};`],
      ['server_name wiki.localhost;', `server_name ${names.map((name) => `${name}.localhost`).join(' ')};`],
    ],
    around: (text, dir) =>
      `daemon off; master_process off; pid ${dir}/pid; error_log stderr; events {} http { access_log off;
      ${temporary.map((name) => `${name}_temp_path ${dir}/${name};`).join(' ')}\n${text}}`,
    run: (file, dir) => ['-p', dir, '-e', 'stderr', '-c', file],
  },
  caddy: {
    command: 'caddy',
    version: ['version'],
    files: ['Caddyfile'],
    replace: ({ port, names }) =>
      [names, ['id']].map((at) => [
        `${at[0]}.localhost {`,
        `${at.map((name) => `http://${name}.localhost:${port}`).join(', ')} {\n\tbind 127.0.0.1`,
      ]),
    around: (text) => `{\n\tadmin off\n\tauto_https off\n}\n${text}`,
    run: (file) => ['run', '--adapter', 'caddyfile', '--config', file],
  },
  haproxy: {
    command: 'haproxy',
    version: ['-v'],
    files: ['haproxy/haproxy.cfg', 'haproxy/hero_auth.lua'],
    replace: ({ port }, dir) => [
      ['bind :80', `bind 127.0.0.1:${port}`],
      ['/etc/haproxy/hero_auth.lua', join(dir, 'hero_auth.lua')],
    ],
    around: (text) => text,
    run: (file) => ['-db', '-q', '-f', file],
  },
}

/** Debian installs servers where only root's PATH looks for them. */
const PATH = `${process.env.PATH}:/usr/sbin`

/** Why a proxy cannot be tested here, or false. */
export const missing = (name: Kind): string | false => {
  const { command, version } = setups[name]
  return spawnSync(command, version, { env: { PATH } }).error ? `${command} is not installed` : false
}

const listens = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true))
    socket.once('error', () => resolve(false))
    socket.once('close', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })

export interface Front extends AsyncDisposable {
  /** In the form that `ask` and others for the edge take. */
  readonly edge: { readonly host: string; readonly port: number }
  readonly host: string
  readonly errors: () => string
}

/** A proxy of Debian with these files, of which the first is its configuration. */
export const startProxy = async (
  name: Kind,
  port: number,
  filesIn: (dir: string) => readonly (readonly [file: string, text: string])[],
): Promise<Front> => {
  const kind = setups[name]
  const dir = mkdtempSync(join(tmpdir(), 'hp-front-'))
  const files = filesIn(dir)
  for (const [i, [file, text]] of files.entries())
    writeFileSync(join(dir, file), i === 0 ? kind.around(text, dir) : text)
  const child = spawn(kind.command, kind.run(join(dir, files[0]![0]), dir), {
    env: { PATH, HOME: dir, XDG_DATA_HOME: dir, XDG_CONFIG_HOME: dir },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
  const close = async () => {
    await kill(child as ChildProcess, 'SIGTERM')
    rmSync(dir, { recursive: true, force: true })
  }
  for (let i = 0; !(await listens(port)); i++) {
    if (child.exitCode !== null || i === 200) {
      await close()
      throw new Error(`${name} did not start: ${errors}`)
    }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return {
    edge: { host: '127.0.0.1', port },
    host: `wiki.localhost:${port}`,
    errors: () => errors,
    [Symbol.asyncDispose]: close,
  }
}

/** Puts in the values of this machine. Each one must be in the text. */
export const replaceAll = (text: string, replacements: readonly (readonly [string, string])[]): string => {
  for (const [from, to] of replacements) {
    if (!text.includes(from)) throw new Error(`the configuration does not hold ${from}`)
    text = text.replaceAll(from, to)
  }
  return text
}

/** A real proxy with the configuration of docs/forward-auth, in which only addresses are changed. */
export const startFront = async (
  name: Kind,
  { hero, service, port, names = ['wiki'] }: Pick<Addresses, 'hero' | 'service'> & Partial<Addresses>,
): Promise<Front> => {
  const kind = setups[name]
  const at = { port: port ?? (await freePort()), hero, service, names }
  return startProxy(name, at.port, (dir) =>
    kind.files.map((file) => {
      const text = readFileSync(join(root, 'docs', 'forward-auth', file), 'utf8').replaceAll(
        /\b(wiki|id)\.example\.org/g,
        '$1.localhost',
      )
      const replacements = [
        ['127.0.0.1:9997', `127.0.0.1:${hero}`],
        ['127.0.0.1:3000', `127.0.0.1:${service}`],
        ...kind.replace(at, dir),
      ] as const
      return [file.split('/').at(-1)!, file === kind.files[0] ? replaceAll(text, replacements) : text]
    }),
  )
}
