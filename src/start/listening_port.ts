import { once } from 'node:events'
import { createRequire } from 'node:module'
import { createServer, type AddressInfo } from 'node:net'
import { endianness } from 'node:os'
import type { Config } from '../config/config.ts'
import type { PassedSockets } from './passed_sockets.ts'

const AF_INET = 2
const AF_INET6 = 10

/** The port of a listening socket (getsockname(2)). Undefined for a Unix socket, or where the platform cannot say. */
const portOf = (fd: number): number | undefined => {
  if (process.platform !== 'linux') return undefined
  const address = Buffer.alloc(128)
  try {
    const koffi = createRequire(import.meta.url)('koffi') as {
      load: (name: string) => {
        func: (prototype: string) => (fd: number, address: Buffer, length: number[]) => number
      }
    }
    const getsockname = koffi
      .load('libc.so.6')
      .func('int getsockname(int, _Out_ uint8_t *, _Inout_ uint32_t *)')
    if (getsockname(fd, address, [address.length]) !== 0) return undefined
  } catch {
    return undefined
  }
  const family = endianness() === 'LE' ? address.readUInt16LE(0) : address.readUInt16BE(0)
  return family === AF_INET || family === AF_INET6 ? address.readUInt16BE(2) : undefined
}

/**
 * The port that the edge will really have, where the settings do not say it: that of a passed socket, or a free one for port 0. The
 * public URL follows it, so it has to be known before the daemon is built.
 */
export const listeningPort = async (
  { listen }: Pick<Config, 'listen'>,
  { edge }: PassedSockets,
): Promise<number> => {
  if (edge !== undefined) return portOf(edge) ?? listen.port
  if (listen.port !== 0) return listen.port
  const server = createServer().listen({ ...listen, exclusive: true })
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
