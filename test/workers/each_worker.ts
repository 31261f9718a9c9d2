import assert from 'node:assert/strict'
import { client, until, type Client, type Running } from '../support/running_daemon.ts'

/** The processes of the workers, once there are `count` of them. */
export const pidsOf = async ({ hero, daemon }: Running, count: number) => {
  const pids = async () => (await hero.stats()).workers.map(({ pid }) => pid)
  await until('all workers count', async () => (await pids()).length === count)
  assert.ok(!(await pids()).includes(daemon.child.pid!))
  return pids()
}

/** A kept connection to each worker: only the one that is awake can accept it. */
export const oneToEach = async (running: Running, pids: readonly number[]): Promise<Client[]> => {
  const all = []
  for (const awake of pids) {
    const others = pids.filter((pid) => pid !== awake)
    for (const pid of others) process.kill(pid, 'SIGSTOP')
    try {
      const own = client(running.daemon.edge.port)
      assert.equal((await own.ask('open.localhost', '/')).status, 200)
      all.push(own)
    } finally {
      for (const pid of others) process.kill(pid, 'SIGCONT')
    }
  }
  return all
}
