import { createHash } from 'node:crypto'
import { deflateSync } from 'node:zlib'
import { pngChunk, pngSignature } from './png.ts'

const cells = 5
const cellPixels = 40
const marginPixels = 20
const side = cells * cellPixels + 2 * marginPixels

/** Colours of the middle of the scale, readable on light and dark. */
const colourOf = (seed: Buffer): readonly number[] => {
  const hue = (seed.readUInt16BE(0) / 65_536) * 6
  const channel = (shift: number) => {
    const k = (shift + hue * 2) % 12
    return Math.round(255 * (0.45 - 0.28 * Math.max(-1, Math.min(k - 3, 9 - k, 1))))
  }
  return [channel(0), channel(8), channel(4)]
}

/** A picture of squares in one colour, the same for the same text. For people who have given none. */
export const generatedPicture = (text: string): Buffer => {
  const seed = createHash('sha256').update(text).digest()
  const isFilled = (column: number, row: number): boolean =>
    (seed[2 + row]! >> Math.min(column, cells - 1 - column)) % 2 === 1
  const header = Buffer.alloc(13)
  header.writeUInt32BE(side, 0)
  header.writeUInt32BE(side, 4)
  header.set([1, 3], 8)
  const rowBytes = side / 8
  const pixels = Buffer.alloc(side * (1 + rowBytes))
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++) {
      const [column, row] = [x, y].map((at) => Math.floor((at - marginPixels) / cellPixels)) as [
        number,
        number,
      ]
      const inside = column >= 0 && column < cells && row >= 0 && row < cells
      if (inside && isFilled(column, row)) pixels[y * (1 + rowBytes) + 1 + (x >> 3)]! |= 0x80 >> (x & 7)
    }
  return Buffer.concat([
    pngSignature,
    pngChunk('IHDR', header),
    pngChunk('PLTE', Buffer.from([0xee, 0xee, 0xee, ...colourOf(seed)])),
    pngChunk('IDAT', deflateSync(pixels, { level: 9 })),
    pngChunk('IEND', Buffer.alloc(0)),
  ])
}
