import { lookup } from 'node:dns/promises'
import { readFileSync } from 'node:fs'
import net from 'node:net'
import { getSystemErrorName } from 'node:util'
import { ConfigError } from '../config/config.ts'

/** Listening sockets that our parent process opened, as file descriptors. */
export interface PassedSockets {
  readonly edge?: number
  readonly rpc?: number
}

const firstDescriptor = 3

/**
 * Takes the sockets of systemd's socket activation (sd_listen_fds(3)): LISTEN_FDS descriptors starting with 3, for us
 * if LISTEN_PID is our pid, named by LISTEN_FDNAMES. Deletes these variables from `env`, so that no child process takes
 * the sockets too.
 */
export const takePassedSockets = (env: NodeJS.ProcessEnv, pid = process.pid): PassedSockets => {
  const { LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES = '' } = env
  delete env.LISTEN_PID
  delete env.LISTEN_FDS
  delete env.LISTEN_FDNAMES
  if (LISTEN_FDS === undefined || LISTEN_PID !== String(pid)) return {}
  if (!/^[1-9][0-9]?$/.test(LISTEN_FDS)) {
    throw new ConfigError(`LISTEN_FDS: ${JSON.stringify(LISTEN_FDS)} is not allowed; allowed: 1 or 2`)
  }
  const names = LISTEN_FDNAMES.split(':')
  const passed: { edge?: number; rpc?: number } = {}
  for (let i = 0; i < Number(LISTEN_FDS); i++) {
    // By default, systemd names a socket after its unit: every socket that is not called rpc is the edge.
    const place = names[i] === 'rpc' ? 'rpc' : 'edge'
    if (passed[place] !== undefined) {
      throw new ConfigError(
        `LISTEN_FDNAMES: ${JSON.stringify(LISTEN_FDNAMES)} names two sockets for ${place}; allowed: one edge and one rpc`,
      )
    }
    passed[place] = firstDescriptor + i
  }
  return passed
}

/** A socket that is bound but not accepting here: other processes listen on its descriptor. */
export interface BoundSocket {
  readonly fd: number
  close(): void
}

interface ServerHandle {
  readonly fd: number
  close(): void
  getsockname(out: object): number
}

/** The function with which node:cluster binds. There is no documented way to bind a socket without accepting. */
const { _createServerHandle: bind } = net as unknown as {
  _createServerHandle?: (address: string, port: number, family: number) => ServerHandle | number
}

/** Binds a TCP address. Rejects with an error that has a `code`, as listening does. */
export const bindSocket = async ({ host, port }: { host: string; port: number }): Promise<BoundSocket> => {
  if (!bind)
    throw new Error(`Node ${process.version} cannot share a socket between processes; set workers to 1`)
  const { address, family } = await lookup(host)
  const bound = bind(address, port, family)
  // An address in use is reported only by getsockname.
  const failure = typeof bound === 'number' ? bound : bound.getsockname({})
  if (typeof bound !== 'number' && failure === 0) return { fd: bound.fd, close: () => bound.close() }
  if (typeof bound !== 'number') bound.close()
  const code = getSystemErrorName(failure)
  throw Object.assign(new Error(`cannot bind ${host}:${port} (${code})`), { code })
}

/** How many files and sockets this process may open; Infinity if unknown. */
export const openFileLimit = (): number => {
  try {
    const line = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))
    return Number(line?.[1] ?? Infinity)
  } catch {
    return Infinity
  }
}
