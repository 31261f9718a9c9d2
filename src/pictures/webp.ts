import { exifOf, orientationIn } from './orientation.ts'
import { checkSides, NoPicture, type PictureLimits } from './picture.ts'

interface Sides {
  readonly width: number
  readonly height: number
}

const chunk = (type: string, data: Buffer): Buffer => {
  const head = Buffer.alloc(8)
  head.write(type, 'latin1')
  head.writeUInt32LE(data.length, 4)
  return Buffer.concat([head, data, Buffer.alloc(data.length % 2)])
}

/** RFC 6386 section 9.1: a key frame that is shown. */
const sidesOfLossy = (data: Buffer): Sides => {
  if (data.length < 10 || (data[0]! & 1) !== 0 || data.readUIntBE(3, 3) !== 0x9d012a)
    throw new NoPicture('no WebP of a known kind')
  return { width: data.readUInt16LE(6) & 0x3fff, height: data.readUInt16LE(8) & 0x3fff }
}

/** WebP Lossless section 3. */
const sidesOfLossless = (data: Buffer): Sides & { readonly alpha: boolean } => {
  const bits = data.length < 5 ? 0 : data.readUInt32LE(1)
  if (data[0] !== 0x2f || bits >>> 29 !== 0) throw new NoPicture('no WebP of a known kind')
  return {
    width: (bits & 0x3fff) + 1,
    height: ((bits >>> 14) & 0x3fff) + 1,
    alpha: ((bits >>> 28) & 1) === 1,
  }
}

const readChunks = (bytes: Buffer): Map<string, Buffer> => {
  const last = bytes.readUInt32LE(4) + 8
  if (last > bytes.length) throw new NoPicture('the WebP has no end')
  const found = new Map<string, Buffer>()
  for (let at = 12; at + 8 <= last;) {
    const type = bytes.toString('latin1', at, at + 4)
    const length = bytes.readUInt32LE(at + 4)
    if (at + 8 + length > last) throw new NoPicture('a part of the WebP is damaged')
    if (type === 'ANIM' || type === 'ANMF') throw new NoPicture('the WebP must not move')
    if (found.has(type)) throw new NoPicture(`the WebP has two parts ${type.trim()}`)
    found.set(type, bytes.subarray(at + 8, at + 8 + length))
    at += 8 + length + (length % 2)
  }
  return found
}

/** Some writers put the mark of JPEG before the TIFF. */
const tiffIn = (exif: Buffer): Buffer =>
  exif.toString('latin1', 0, 6) === 'Exif\0\0' ? exif.subarray(6) : exif

/** Writes a WebP anew: what shows the picture, and its orientation. */
export const cleanWebp = (bytes: Buffer, limits: PictureLimits): Buffer => {
  const found = readChunks(bytes)
  const lossy = found.get('VP8 ')
  const lossless = found.get('VP8L')
  if ((lossy === undefined) === (lossless === undefined)) throw new NoPicture('the WebP shows nothing')
  const sides = lossy ? sidesOfLossy(lossy) : sidesOfLossless(lossless!)
  checkSides(sides.width, sides.height, limits)
  const alpha = lossy ? found.get('ALPH') : undefined
  const exif = found.get('EXIF')
  const orientation = exif ? orientationIn(tiffIn(exif)) : 1
  const image = lossy ? chunk('VP8 ', lossy) : chunk('VP8L', lossless!)
  const parts = [
    ...(alpha ? [chunk('ALPH', alpha)] : []),
    image,
    ...(orientation === 1 ? [] : [chunk('EXIF', exifOf(orientation))]),
  ]
  const isTransparent = alpha !== undefined || ('alpha' in sides && sides.alpha === true)
  const all = parts.length > 1 ? [extended(sides, isTransparent, orientation !== 1), ...parts] : parts
  const body = Buffer.concat([Buffer.from('WEBP', 'latin1'), ...all])
  const head = Buffer.alloc(8)
  head.write('RIFF', 'latin1')
  head.writeUInt32LE(body.length, 4)
  return Buffer.concat([head, body])
}

/** The header that says which other parts there are. */
const extended = ({ width, height }: Sides, alpha: boolean, exif: boolean): Buffer => {
  const data = Buffer.alloc(10)
  data[0] = (alpha ? 0x10 : 0) | (exif ? 0x08 : 0)
  data.writeUIntLE(width - 1, 4, 3)
  data.writeUIntLE(height - 1, 7, 3)
  return chunk('VP8X', data)
}
