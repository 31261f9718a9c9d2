import { exifOf, orientationIn } from './orientation.ts'
import { checkSides, NoPicture, type PictureLimits } from './picture.ts'

const start = 0xd8
const end = 0xd9
const scan = 0xda
const restart = (marker: number): boolean => marker >= 0xd0 && marker <= 0xd7
/** Baseline, extended and progressive frames; others are rare, and their decoders little tested. */
const frames: ReadonlySet<number> = new Set([0xc0, 0xc1, 0xc2])
/** The length of one table at the start of these bytes: for Huffman codes, quantisation, and the interval of restarts. */
const tables: Readonly<Record<number, (data: Buffer) => number>> = {
  0xc4: (data) => 17 + data.subarray(1, 17).reduce((sum, count) => sum + count, 0),
  0xdb: (data) => (data[0]! < 0x10 ? 65 : 129),
  0xdd: () => 2,
}

/** Whether tables fill a part to its last byte, so that nothing else is in it. */
const isTables = (marker: number, data: Buffer): boolean => {
  const lengthOf = tables[marker]
  if (!lengthOf || data.length === 0) return false
  let at = 0
  while (at < data.length) at += lengthOf(data.subarray(at))
  return at === data.length
}
const isDropped = (marker: number): boolean => (marker >= 0xe0 && marker <= 0xef) || marker === 0xfe

const exifMark = 'Exif\0\0'

const segment = (marker: number, data: Buffer): Buffer => {
  const head = Buffer.from([0xff, marker, 0, 0])
  head.writeUInt16BE(data.length + 2, 2)
  return Buffer.concat([head, data])
}

const checkFrame = (data: Buffer, limits: PictureLimits): void => {
  const parts = data[5] ?? 0
  if (data.length !== 6 + 3 * parts || data[0] !== 8 || ![1, 3, 4].includes(parts))
    throw new NoPicture('no JPEG of a known kind')
  checkSides(data.readUInt16BE(3), data.readUInt16BE(1), limits)
}

/** Where the marker after the data of a scan is. */
const endOfScan = (bytes: Buffer, from: number): number => {
  for (let at = bytes.indexOf(0xff, from); at >= 0; at = bytes.indexOf(0xff, at + 1)) {
    const next = bytes[at + 1]
    if (next === undefined) break
    if (next !== 0 && next !== 0xff && !restart(next)) return at
  }
  throw new NoPicture('the JPEG has no end')
}

/** Which colours mean what (Adobe Technical Note 5116): without it, a picture of four colours would be inverted. */
const isColourNote = (marker: number, data: Buffer): boolean =>
  marker === 0xee && data.length === 12 && data.toString('latin1', 0, 5) === 'Adobe'

/** Writes a JPEG anew: what shows the picture, and its orientation. Places, cameras, previews, comments and all else stay behind. */
export const cleanJpeg = (bytes: Buffer, limits: PictureLimits): Buffer => {
  const parts: Buffer[] = []
  let orientation = 1
  let framed = false
  let scanned = false
  for (let at = 2; ;) {
    while (bytes[at] === 0xff && bytes[at + 1] === 0xff) at++
    const marker = bytes[at + 1]
    if (bytes[at] !== 0xff || marker === undefined) throw new NoPicture('the JPEG has no end')
    if (marker === end) break
    if (at + 4 > bytes.length) throw new NoPicture('the JPEG has no end')
    const length = bytes.readUInt16BE(at + 2)
    if (length < 2 || at + 2 + length > bytes.length) throw new NoPicture('a part of the JPEG is damaged')
    const data = bytes.subarray(at + 4, at + 2 + length)
    at += 2 + length
    if (frames.has(marker)) {
      if (framed) throw new NoPicture('the JPEG has two frames')
      checkFrame(data, limits)
      framed = true
      parts.push(segment(marker, data))
    } else if (marker === scan) {
      if (!framed || data.length !== 4 + 2 * (data[0] ?? 0))
        throw new NoPicture('the JPEG shows data without a frame')
      const stop = endOfScan(bytes, at)
      parts.push(segment(marker, data), bytes.subarray(at, stop))
      scanned = true
      at = stop
    } else if (isTables(marker, data) || isColourNote(marker, data)) parts.push(segment(marker, data))
    else if (!isDropped(marker)) throw new NoPicture('no JPEG of a known kind')
    else if (marker === 0xe1 && data.toString('latin1', 0, 6) === exifMark)
      orientation = orientationIn(data.subarray(6))
  }
  if (!scanned) throw new NoPicture('the JPEG shows nothing')
  const turned =
    orientation === 1
      ? []
      : [segment(0xe1, Buffer.concat([Buffer.from(exifMark, 'latin1'), exifOf(orientation)]))]
  return Buffer.concat([Buffer.from([0xff, start]), ...turned, ...parts, Buffer.from([0xff, end])])
}
