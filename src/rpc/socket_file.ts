import { chmodSync, linkSync, lstatSync, mkdirSync, unlinkSync, type Stats } from 'node:fs'
import { connect, type Server } from 'node:net'
import { dirname } from 'node:path'

/** A socket that this process has bound; `remove` takes the file away if it is still ours. */
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

/** Whether somebody answers on the socket file. */
const answers = (path: string): Promise<boolean> =>
  new Promise((resolve, reject) => {
    const socket = connect(path)
    socket.on('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED' || error.code === 'ENOENT') resolve(false)
      else reject(new Error(`${path}: cannot tell whether it is in use (${error.code})`))
    })
  })

/**
 * Listens at `path` with mode 0660 in a folder of mode 0750. The socket is made under a name of its own, narrowed, and
 * only then linked to its place: it is never wider for an instant, never replaces anything, and closing the server,
 * which unlinks the name it was bound to, cannot take a successor's file away.
 * Refuses when a daemon answers there or when the file is no socket; a socket on which nobody answers is replaced.
 */
export const bindSocketFile = async (server: Server, path: string): Promise<SocketFile> => {
  mkdirSync(dirname(path), { recursive: true, mode: 0o750 })
  const own = `${path}.${process.pid}`
  // sockaddr_un holds 108 bytes with the closing zero; longer names would be cut without a word.
  if (Buffer.byteLength(own) > 107)
    throw new Error(`${path}: the path is too long for a socket, 100 bytes at most`)

  const before = statOrUndefined(path)
  if (before && !before.isSocket()) throw new Error(`${path}: is there and no socket; move it away`)
  if (before && (await answers(path))) throw new Error(`${path}: a daemon answers there already`)

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
    throw new Error(`${path}: another daemon took it just now`)
  } finally {
    unlinkIfThere(own)
  }
  return {
    remove: () => {
      if (statOrUndefined(path)?.ino === ino) unlinkIfThere(path)
    },
  }
}
