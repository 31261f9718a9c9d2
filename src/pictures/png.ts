import { crc32 } from 'node:zlib'
import { exifOf, orientationIn } from './orientation.ts'
import { checkSides, NoPicture, type PictureLimits } from './picture.ts'

export const pngSignature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1')

/** The bit depths of each colour type (PNG section 11.2.1). */
const depths: Readonly<Record<number, readonly number[]>> = {
  0: [1, 2, 4, 8, 16],
  2: [8, 16],
  3: [1, 2, 4, 8],
  4: [8, 16],
  6: [8, 16],
}

/** Chunks that show the picture besides its data, with the lengths that they may have. */
const kept: Readonly<Record<string, (length: number) => boolean>> = {
  PLTE: (length) => length > 0 && length <= 768 && length % 3 === 0,
  tRNS: (length) => length > 0 && length <= 256,
  gAMA: (length) => length === 4,
  cHRM: (length) => length === 32,
  sRGB: (length) => length === 1,
}

export const pngChunk = (type: string, data: Buffer): Buffer => {
  const head = Buffer.alloc(8)
  head.writeUInt32BE(data.length)
  head.write(type, 4, 'latin1')
  const check = Buffer.alloc(4)
  check.writeUInt32BE(crc32(data, crc32(head.subarray(4))))
  return Buffer.concat([head, data, check])
}

const checkHeader = (data: Buffer, limits: PictureLimits): void => {
  if (data.length !== 13) throw new NoPicture('the header of the PNG is damaged')
  checkSides(data.readUInt32BE(0), data.readUInt32BE(4), limits)
  const [depth, colour, compression, filter, interlace] = data.subarray(8)
  if (!depths[colour!]?.includes(depth!) || compression !== 0 || filter !== 0 || interlace! > 1)
    throw new NoPicture('no PNG of a known kind')
}

/** Every chunk up to the end of the picture, each with its right checksum. */
function* chunksOf(bytes: Buffer): Generator<{ readonly type: string; readonly data: Buffer }> {
  for (let at = pngSignature.length; ;) {
    if (at + 12 > bytes.length) throw new NoPicture('the PNG has no end')
    const length = bytes.readUInt32BE(at)
    if (at + 12 + length > bytes.length) throw new NoPicture('the PNG has no end')
    const type = bytes.toString('latin1', at + 4, at + 8)
    const data = bytes.subarray(at + 8, at + 8 + length)
    if (bytes.readUInt32BE(at + 8 + length) !== crc32(bytes.subarray(at + 4, at + 8 + length)))
      throw new NoPicture('a part of the PNG is damaged')
    yield { type, data }
    if (type === 'IEND') return
    at += 12 + length
  }
}

/** Writes a PNG anew: what shows the picture, and its orientation. Texts, profiles, times, further frames and all else stay behind. */
export const cleanPng = (bytes: Buffer, limits: PictureLimits): Buffer => {
  const before: Buffer[] = []
  const pixels: Buffer[] = []
  const seen = new Set<string>()
  let orientation = 1
  let header: Buffer | undefined
  let after = ''
  for (const { type, data } of chunksOf(bytes)) {
    if (header === undefined) {
      if (type !== 'IHDR') throw new NoPicture('the PNG does not begin with its header')
      checkHeader(data, limits)
      header = pngChunk(type, data)
    } else if (type === 'IHDR') throw new NoPicture('the PNG has two headers')
    else if (type === 'IDAT') {
      if (pixels.length > 0 && after !== 'IDAT') throw new NoPicture('the data of the PNG is in pieces')
      pixels.push(pngChunk(type, data))
    } else if (type === 'eXIf') orientation = orientationIn(data)
    else if (Object.hasOwn(kept, type)) {
      if (seen.has(type) || pixels.length > 0 || !kept[type]!(data.length))
        throw new NoPicture(`the part ${type} of the PNG is out of place`)
      seen.add(type)
      before.push(pngChunk(type, data))
    } else if (/^[A-Z]/.test(type) && type !== 'IEND')
      throw new NoPicture(`the PNG needs ${type}, which is unknown`)
    after = type
  }
  if (header === undefined || pixels.length === 0) throw new NoPicture('the PNG shows nothing')
  const turned = orientation === 1 ? [] : [pngChunk('eXIf', exifOf(orientation))]
  return Buffer.concat([
    pngSignature,
    header,
    ...before,
    ...turned,
    ...pixels,
    pngChunk('IEND', Buffer.alloc(0)),
  ])
}
