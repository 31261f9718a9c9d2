import { createRequire } from 'node:module'

/** The libc calls of the request generator, which needs a finer clock than Node's event loop with its steps of a millisecond. */
export interface Libc {
  socket(domain: number, type: number, protocol: number): number
  connect(fd: number, address: Uint8Array, length: number): number
  send(fd: number, bytes: Uint8Array, length: number, flags: number): number
  recv(fd: number, bytes: Uint8Array, length: number, flags: number): number
  /** `polled` holds a descriptor, the events wanted and those found for each; `timeout` holds seconds and nanoseconds. */
  ppoll(polled: Uint8Array, count: number, timeout: BigInt64Array, mask: null): number
  sched_yield(): number
  prctl(option: number, value: number, third: number, fourth: number, fifth: number): number
}

const declared: Readonly<Record<keyof Libc, string>> = {
  socket: 'int socket(int, int, int)',
  connect: 'int connect(int, void *, uint)',
  send: 'long send(int, void *, ulong, int)',
  recv: 'long recv(int, void *, ulong, int)',
  ppoll: 'int ppoll(void *, ulong, void *, void *)',
  sched_yield: 'int sched_yield()',
  prctl: 'int prctl(int, ulong, ulong, ulong, ulong)',
}

export const loadLibc = (): Libc => {
  const koffi = createRequire(import.meta.url)('koffi') as {
    load(file: string): { func(declaration: string): unknown }
  }
  const libc = koffi.load('libc.so.6')
  const calls = Object.entries(declared).map(([name, declaration]) => [name, libc.func(declaration)])
  return Object.fromEntries(calls) as Libc
}
