/** The tag of the orientation in TIFF, and the type of its value. */
const orientationTag = 0x0112
const short = 3

/** How a picture is turned, 1 to 8, in a block of Exif as TIFF; 1 for anything that is not understood. */
export const orientationIn = (tiff: Buffer): number => {
  const order = tiff.toString('latin1', 0, 4)
  if (tiff.length < 14 || (order !== 'II*\0' && order !== 'MM\0*')) return 1
  const little = order[0] === 'I'
  const u16 = (at: number) => (little ? tiff.readUInt16LE(at) : tiff.readUInt16BE(at))
  const directory = little ? tiff.readUInt32LE(4) : tiff.readUInt32BE(4)
  if (directory < 8 || directory + 2 > tiff.length) return 1
  const entries = u16(directory)
  for (let i = 0; i < entries; i++) {
    const entry = directory + 2 + i * 12
    if (entry + 12 > tiff.length) return 1
    if (u16(entry) !== orientationTag || u16(entry + 2) !== short) continue
    const value = u16(entry + 8)
    return value >= 1 && value <= 8 ? value : 1
  }
  return 1
}

/** A block of Exif that says the orientation and nothing else. */
export const exifOf = (orientation: number): Buffer => {
  const tiff = Buffer.alloc(26)
  tiff.write('II*\0', 'latin1')
  tiff.writeUInt32LE(8, 4)
  tiff.writeUInt16LE(1, 8)
  tiff.writeUInt16LE(orientationTag, 10)
  tiff.writeUInt16LE(short, 12)
  tiff.writeUInt32LE(1, 14)
  tiff.writeUInt16LE(orientation, 18)
  return tiff
}
