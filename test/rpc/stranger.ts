import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { chmodSync } from 'node:fs'
import { dirname } from 'node:path'

const id = (flag: string) => Number(spawnSync('id', [flag, 'nobody'], { encoding: 'utf8' }).stdout || NaN)

/** A user of this machine other than the one who runs the tests. */
export const nobody = { uid: id('-u'), gid: id('-g') }

/** Returns why no process can run as another user here, or undefined. */
export const strangerMissing = (): string | undefined => {
  if (process.getuid?.() !== 0) return 'only root can start a process as another user'
  if (!(nobody.uid > 0)) return 'there is no user nobody'
  const tried = spawnSync(process.execPath, ['--version'], nobody)
  return tried.status === 0 ? undefined : `the user nobody cannot run ${process.execPath}`
}

/** Opens the path to the socket for each local user, like an administrator who widens the mode. */
export const letEverybodyIn = (socketPath: string, above: string): void => {
  for (let dir = dirname(socketPath); dir.startsWith(above); dir = dirname(dir)) chmodSync(dir, 0o755)
  chmodSync(socketPath, 0o666)
}

const program =
  'const s = require("node:net").connect(process.argv[1]); process.stdin.pipe(s); s.pipe(process.stdout)'

/** Starts a process of the user nobody that connects its input and output with the socket. */
export const strangerAt = (socketPath: string): ChildProcess =>
  spawn(process.execPath, ['-e', program, socketPath], { ...nobody, stdio: ['pipe', 'pipe', 'inherit'] })

/** Returns the full answer to this text for the user nobody. */
export const strangerSpeaks = async (socketPath: string, text: string): Promise<string> => {
  const child = strangerAt(socketPath)
  child.stdin!.end(text)
  let answer = ''
  for await (const chunk of child.stdout!.setEncoding('utf8') as AsyncIterable<string>) answer += chunk
  return answer
}
