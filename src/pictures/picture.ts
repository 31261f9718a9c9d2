/** What a picture may be. */
export interface PictureLimits {
  readonly bytes: number
  /** Of each side. */
  readonly pixels: number
}

/** Of people. */
export const personLimits: PictureLimits = { bytes: 512 * 1024, pixels: 4096 }

/** Of services and applications. */
export const iconLimits: PictureLimits = { bytes: 128 * 1024, pixels: 512 }

export const pictureTypes = ['image/png', 'image/jpeg', 'image/webp'] as const
export type PictureType = (typeof pictureTypes)[number]

/** A picture with nothing but what shows it. */
export interface CleanPicture {
  readonly type: PictureType
  readonly content: Buffer
}

/** The bytes are no picture that we take. `what` says why, in words for programs. */
export class NoPicture extends Error {
  override readonly name = 'NoPicture'
}

/** Throws unless both sides are within the limit. A decoder may need four bytes for each pixel, whatever the file weighs. */
export const checkSides = (width: number, height: number, { pixels }: PictureLimits): void => {
  if (width < 1 || height < 1 || width > pixels || height > pixels)
    throw new NoPicture(`the sides must have 1 to ${pixels} pixels`)
}
