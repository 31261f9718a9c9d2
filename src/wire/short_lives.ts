import { setFlagsFromString } from 'node:v8'

/**
 * Keeps V8 from allocating objects in old space only because earlier objects from the same place in the code lived long. Such an object,
 * and everything it points to, would stay until the next mark-compact, long after its request. Call this before there is traffic.
 */
export const allocateYoung = (): void => setFlagsFromString('--no-allocation-site-pretenuring')
