import { deflateSync } from 'node:zlib'
import { pngChunk, pngSignature } from '../../src/pictures/png.ts'

/** A picture of one pixel in this shade of grey. */
export const greyPixel = (shade: number): Buffer => {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(1, 0)
  header.writeUInt32BE(1, 4)
  header.set([8, 0], 8)
  const data = deflateSync(Buffer.from([0, shade]))
  return Buffer.concat([
    pngSignature,
    pngChunk('IHDR', header),
    pngChunk('IDAT', data),
    pngChunk('IEND', Buffer.alloc(0)),
  ])
}
