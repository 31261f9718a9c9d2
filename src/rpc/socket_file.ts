import { chmodSync, linkSync, lstatSync, mkdirSync, unlinkSync, type Stats } from 'node:fs'
import { connect, type Server } from 'node:net'
import { dirname } from 'node:path'

/** A socket that this process has bound. `remove` deletes the file if it is still ours. */
export interface SocketFile {
  remove(): void
}

const statOrUndefined = (path: string): Stats | undefined => lstatSync(path, { throwIfNoEntry: false })

const unlinkIfThere = (path: string) => {
  try {
    unlinkSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}

/** Whether a process accepts connections on the socket file. */
const answers = (path: string): Promise<boolean> =>
  new Promise((resolve, reject) => {
    const socket = connect(path)
    socket.on('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED' || error.code === 'ENOENT') resolve(false)
      else reject(new Error(`${path}: cannot determine whether it is in use (${error.code})`))
    })
  })

/**
 * Listens at `path` with mode 0660 in a folder of mode 0750. The socket is created under a temporary name, restricted, and only
 * then linked to its place. So its mode is never wider, not even briefly, it never replaces another file, and closing the server,
 * which unlinks the name it was bound to, cannot remove the file of a successor.
 * Refuses if a daemon answers there or if the file is not a socket. A dead socket is replaced.
 */
export const bindSocketFile = async (server: Server, path: string): Promise<SocketFile> => {
  mkdirSync(dirname(path), { recursive: true, mode: 0o750 })
  const own = `${path}.${process.pid}`
  // sockaddr_un has 108 bytes including the final zero. Longer names would be cut silently.
  if (Buffer.byteLength(own) > 107)
    throw new Error(`${path}: the path is too long for a socket; use at most 100 bytes`)

  const before = statOrUndefined(path)
  if (before && !before.isSocket())
    throw new Error(`${path}: the file exists and is not a socket; move it away`)
  if (before && (await answers(path))) throw new Error(`${path}: another daemon already uses it`)

  unlinkIfThere(own)
  const mask = process.umask(0o177)
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(own, resolve)
      process.umask(mask)
    })
  } finally {
    process.umask(mask)
  }
  chmodSync(own, 0o660)
  const { ino } = lstatSync(own)
  if (before && statOrUndefined(path)?.ino === before.ino) unlinkIfThere(path)
  try {
    linkSync(own, path)
  } catch {
    server.close()
    throw new Error(`${path}: another daemon has just taken it`)
  } finally {
    unlinkIfThere(own)
  }
  return {
    remove: () => {
      if (statOrUndefined(path)?.ino === ino) unlinkIfThere(path)
    },
  }
}
