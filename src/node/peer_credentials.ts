import { createRequire } from 'node:module'
import { endianness } from 'node:os'
import type { Socket } from 'node:net'

/** The process that opened a Unix socket, according to the kernel. */
export interface Peer {
  readonly pid: number
  readonly uid: number
}

type PeerOf = (socket: Socket) => Peer | undefined

const SOL_SOCKET = 1
const SO_PEERCRED = 17

/**
 * Loads the function that queries the kernel (SO_PEERCRED, unix(7)). Undefined if the platform or a missing binary
 * prevents that; then only the mode of the socket file distinguishes callers.
 */
export const loadPeerCredentials = (): PeerOf | undefined => {
  if (process.platform !== 'linux') return undefined
  let getsockopt: (fd: number, level: number, name: number, value: Buffer, length: number[]) => number
  try {
    const koffi = createRequire(import.meta.url)('koffi') as {
      load: (name: string) => { func: (prototype: string) => typeof getsockopt }
    }
    getsockopt = koffi.load('libc.so.6').func('int getsockopt(int, int, int, _Out_ uint8_t *, _Inout_ int *)')
  } catch {
    return undefined
  }
  const isLittleEndian = endianness() === 'LE'
  return (socket) => {
    const fd = (socket as unknown as { _handle?: { fd?: number } })._handle?.fd
    if (fd === undefined || fd < 0) return undefined
    const credentials = Buffer.alloc(12)
    const length = [credentials.length]
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, credentials, length) !== 0 || length[0] !== 12)
      return undefined
    const at = (offset: number) =>
      isLittleEndian ? credentials.readInt32LE(offset) : credentials.readInt32BE(offset)
    const uid = at(4) >>> 0
    // The kernel's value for an unknown user, such as a caller from another user namespace.
    return uid === 0xffffffff ? undefined : { pid: at(0), uid }
  }
}
