import { setFlagsFromString } from 'node:v8'

/**
 * Keeps V8 from allocating objects in old space because others from the same place in the code have lived long. Whatever such an object of
 * a request points to lives as long as it does: until the next mark-compact, far beyond the request. To be called before there is traffic.
 */
export const allocateYoung = (): void => setFlagsFromString('--no-allocation-site-pretenuring')
