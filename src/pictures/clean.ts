import { cleanJpeg } from './jpeg.ts'
import { NoPicture, type CleanPicture, type PictureLimits, type PictureType } from './picture.ts'
import { cleanPng, pngSignature } from './png.ts'
import { cleanWebp } from './webp.ts'

/** The type by the first bytes; what a sender says about it proves nothing. */
const typeOf = (bytes: Buffer): PictureType | undefined => {
  if (bytes.subarray(0, 8).equals(pngSignature)) return 'image/png'
  if (bytes.length > 3 && bytes.readUIntBE(0, 3) === 0xffd8ff) return 'image/jpeg'
  const isRiff = bytes.toString('latin1', 0, 4) === 'RIFF' && bytes.toString('latin1', 8, 12) === 'WEBP'
  return isRiff ? 'image/webp' : undefined
}

const writers: Readonly<Record<PictureType, (bytes: Buffer, limits: PictureLimits) => Buffer>> = {
  'image/png': cleanPng,
  'image/jpeg': cleanJpeg,
  'image/webp': cleanWebp,
}

/**
 * Walks a picture part by part, without decoding it, and writes anew only what shows it: no place, name, text or page can hide in it,
 * and nothing follows its end. Throws NoPicture.
 */
export const cleanPicture = (bytes: Buffer, limits: PictureLimits): CleanPicture => {
  if (bytes.length > limits.bytes) throw new NoPicture(`at most ${limits.bytes / 1024} KB`)
  const type = typeOf(bytes)
  if (type === undefined) throw new NoPicture('a PNG, JPEG or WebP')
  return { type, content: writers[type](bytes, limits) }
}
