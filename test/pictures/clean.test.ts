import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { deflateSync } from 'node:zlib'
import { cleanPicture } from '../../src/pictures/clean.ts'
import { generatedPicture } from '../../src/pictures/generated.ts'
import { exifOf, orientationIn } from '../../src/pictures/orientation.ts'
import { NoPicture, personLimits } from '../../src/pictures/picture.ts'
import { pngChunk, pngSignature } from '../../src/pictures/png.ts'

const script = Buffer.from('<script>alert(1)</script><svg onload=alert(2)>')
const gps = Buffer.from('GPSLatitude 52.5200')
const clean = (bytes: Buffer) => cleanPicture(bytes, personLimits)
const refuses = (bytes: Buffer, why: string) => assert.throws(() => clean(bytes), NoPicture, why)

const header = (width = 2, height = 2, rest = [8, 2, 0, 0, 0]) => {
  const data = Buffer.alloc(13)
  data.writeUInt32BE(width, 0)
  data.writeUInt32BE(height, 4)
  data.set(rest, 8)
  return pngChunk('IHDR', data)
}
const pixels = pngChunk('IDAT', deflateSync(Buffer.alloc(14)))
const end = pngChunk('IEND', Buffer.alloc(0))
const png = (...chunks: Buffer[]) => Buffer.concat([pngSignature, ...chunks])

/** A block of Exif in either byte order, with the place after the orientation. */
const exif = (orientation: number, big = false) => {
  const tiff = exifOf(orientation)
  if (big) {
    tiff.write('MM\0*', 'latin1')
    tiff.subarray(4, 8).swap32()
    tiff.subarray(8, 14).swap16()
    tiff.subarray(14, 18).swap32()
    tiff.subarray(18, 20).swap16()
  }
  return Buffer.concat([tiff, gps])
}

const segment = (marker: number, data: Buffer) => {
  const head = Buffer.from([0xff, marker, 0, 0])
  head.writeUInt16BE(data.length + 2, 2)
  return Buffer.concat([head, data])
}
const frame = (width = 8, height = 8, marker = 0xc0) =>
  segment(marker, Buffer.from([8, height >> 8, height & 255, width >> 8, width & 255, 1, 1, 0x11, 0]))
const scan = Buffer.concat([
  segment(0xda, Buffer.from([1, 1, 0, 0, 63, 0])),
  Buffer.from([1, 0xff, 0, 2, 0xff, 0xd0, 3]),
])
const table = segment(0xdb, Buffer.alloc(65, 1))
const jpeg = (...parts: Buffer[]) =>
  Buffer.concat([Buffer.from([0xff, 0xd8]), ...parts, Buffer.from([0xff, 0xd9])])

const riffChunk = (type: string, data: Buffer) => {
  const head = Buffer.alloc(8)
  head.write(type, 'latin1')
  head.writeUInt32LE(data.length, 4)
  return Buffer.concat([head, data, Buffer.alloc(data.length % 2)])
}
const webp = (...chunks: Buffer[]) => {
  const body = Buffer.concat([Buffer.from('WEBP'), ...chunks])
  const size = Buffer.alloc(4)
  size.writeUInt32LE(body.length)
  return Buffer.concat([Buffer.from('RIFF'), size, body])
}
const lossy = (width = 16, height = 8) => {
  const data = Buffer.alloc(13, 7)
  data.set([0x10, 0, 0, 0x9d, 0x01, 0x2a])
  data.writeUInt16LE(width, 6)
  data.writeUInt16LE(height, 8)
  return riffChunk('VP8 ', data)
}
const lossless = (width = 16, height = 8) => {
  const data = Buffer.alloc(9, 3)
  data[0] = 0x2f
  data.writeUInt32LE(((width - 1) | ((height - 1) << 14)) >>> 0, 1)
  return riffChunk('VP8L', data)
}

describe('a picture is written anew with what shows it, and nothing else', () => {
  test('a PNG', () => {
    const plain = png(header(), pixels, end)
    assert.deepEqual(clean(plain), { type: 'image/png', content: plain })
    const palette = pngChunk('PLTE', Buffer.alloc(6, 9))
    const loaded = png(
      header(2, 2, [8, 3, 0, 0, 0]),
      pngChunk('tEXt', script),
      pngChunk('iCCP', script),
      palette,
      pngChunk('acTL', Buffer.alloc(8)),
      pngChunk('eXIf', exif(6)),
      pixels,
      pngChunk('tIME', Buffer.alloc(7)),
      end,
      script,
    )
    const turned = pngChunk('eXIf', exifOf(6))
    assert.deepEqual(clean(loaded).content, png(header(2, 2, [8, 3, 0, 0, 0]), palette, turned, pixels, end))
  })

  test('a JPEG, of one scan or several', () => {
    const plain = jpeg(table, frame(), scan)
    assert.deepEqual(clean(plain), { type: 'image/jpeg', content: plain })
    const progressive = jpeg(table, frame(8, 8, 0xc2), scan, table, scan)
    assert.deepEqual(clean(progressive).content, progressive)
    for (const big of [false, true]) {
      const mark = Buffer.from('Exif\0\0', 'latin1')
      const adobe = segment(0xee, Buffer.concat([Buffer.from('Adobe'), Buffer.alloc(7)]))
      const loaded = Buffer.concat([
        jpeg(
          segment(0xe0, script),
          segment(0xe1, Buffer.concat([mark, exif(8, big)])),
          segment(0xe2, script),
          segment(0xfe, script),
          adobe,
          table,
          frame(),
          scan,
        ),
        script,
      ])
      const turned = segment(0xe1, Buffer.concat([mark, exifOf(8)]))
      assert.deepEqual(clean(loaded).content, jpeg(turned, adobe, table, frame(), scan))
    }
  })

  test('a WebP, lossy, lossless and with transparency', () => {
    for (const image of [lossy(), lossless()]) {
      const plain = webp(image)
      assert.deepEqual(clean(plain), { type: 'image/webp', content: plain })
      const loaded = Buffer.concat([
        webp(
          riffChunk('VP8X', Buffer.alloc(10)),
          riffChunk('ICCP', script),
          image,
          riffChunk('XMP ', script),
          riffChunk('HTML', script),
        ),
        script,
      ])
      assert.deepEqual(clean(loaded).content, plain)
    }
    const alpha = riffChunk('ALPH', Buffer.from([1, 2, 3]))
    const { content } = clean(webp(alpha, lossy(), riffChunk('EXIF', exif(3))))
    const extended = Buffer.alloc(10)
    extended[0] = 0x18
    extended.set([15, 0, 0, 7, 0, 0], 4)
    assert.deepEqual(content, webp(riffChunk('VP8X', extended), alpha, lossy(), riffChunk('EXIF', exifOf(3))))
  })

  test('nothing of a place or a script is left in any of them', () => {
    const mark = Buffer.from('Exif\0\0', 'latin1')
    for (const bytes of [
      png(header(), pngChunk('eXIf', exif(6)), pngChunk('zTXt', script), pixels, end, script),
      Buffer.concat([
        jpeg(segment(0xe1, Buffer.concat([mark, exif(6)])), segment(0xfe, script), table, frame(), scan),
        script,
      ]),
      webp(lossy(), riffChunk('EXIF', exif(6)), riffChunk('XMP ', script)),
    ]) {
      const text = clean(bytes).content.toString('latin1')
      assert.ok(!text.includes('GPS') && !text.includes('script') && !text.includes('svg'))
    }
  })
})

describe('what is no picture is refused', () => {
  test('HTML, SVG, GIF and pictures of other kinds', () => {
    for (const text of [
      '',
      'x',
      '<!doctype html><script>1</script>',
      '<svg xmlns="http://www.w3.org/2000/svg"/>',
      'GIF89a\x01\0\x01\0',
      '%PDF-1.4',
      'RIFF\x04\0\0\0WAVE',
      '\x89PNG\r\n\x1a\n',
      '\xff\xd8\xff',
      'RIFF\x04\0\0\0WEBP',
    ])
      refuses(Buffer.from(text, 'latin1'), text)
  })

  test('sides of 60,000 pixels, or none, whatever the file weighs', () => {
    for (const [width, height] of [
      [60_000, 2],
      [2, 60_000],
      [4097, 1],
      [0, 1],
      [1, 0],
    ] as const) {
      refuses(png(header(width, height), pixels, end), 'png')
      refuses(jpeg(table, frame(width, height), scan), 'jpeg')
    }
    for (const [width, height] of [
      [16_383, 2],
      [2, 4097],
    ] as const) {
      refuses(webp(lossy(width, height)), 'lossy')
      refuses(webp(lossless(width, height)), 'lossless')
    }
    clean(png(header(4096, 4096), pixels, end))
    refuses(Buffer.concat([png(header(), pixels, end), Buffer.alloc(512 * 1024)]), 'bytes')
  })

  test('every beginning of a picture, and every picture with a damaged length', () => {
    for (const whole of [png(header(), pixels, end), jpeg(table, frame(), scan), webp(lossy())]) {
      for (let length = 0; length < whole.length; length++)
        refuses(whole.subarray(0, length), `${length} bytes`)
      for (let at = 0; at < whole.length; at++) {
        const broken = Buffer.from(whole)
        broken[at] = broken[at]! ^ 0xff
        // It is a picture or none, and never anything else that is thrown, or more than was there.
        try {
          assert.ok(clean(broken).content.length <= whole.length + 64)
        } catch (error) {
          assert.ok(error instanceof NoPicture, String(error))
        }
      }
    }
  })

  test('parts in the wrong place or order', () => {
    refuses(png(pixels, header(), end), 'data before the header')
    refuses(png(header(), header(), pixels, end), 'two headers')
    refuses(png(header(), end), 'no data')
    refuses(png(header(), pixels, pngChunk('tEXt', script), pixels, end), 'data in pieces')
    refuses(png(header(), pixels, pngChunk('PLTE', Buffer.alloc(3)), end), 'late palette')
    refuses(png(header(), pngChunk('EVIL', script), pixels, end), 'critical')
    refuses(png(header(2, 2, [8, 5, 0, 0, 0]), pixels, end), 'colour type')
    const spoilt = png(header(), pixels, end)
    spoilt[spoilt.length - 20]! ^= 1
    refuses(spoilt, 'checksum')
    refuses(jpeg(segment(0xdb, Buffer.concat([Buffer.alloc(65), script])), frame(), scan), 'text in a table')
    refuses(jpeg(table, frame()), 'no scan')
    refuses(jpeg(table, scan, frame()), 'scan before frame')
    refuses(jpeg(frame(), frame(), scan), 'two frames')
    refuses(jpeg(frame(8, 8, 0xc3), scan), 'lossless')
    refuses(jpeg(frame(8, 8, 0xc9), scan), 'arithmetic')
    refuses(webp(lossy(), lossless()), 'two images')
    refuses(webp(riffChunk('ANIM', Buffer.alloc(6)), lossy()), 'animation')
    refuses(webp(lossy(), lossy()), 'twice')
  })
})

test('an orientation is read only if it is one, and loops of directories are none', () => {
  assert.equal(orientationIn(exifOf(6)), 6)
  for (const wrong of [0, 9, 255]) assert.equal(orientationIn(exifOf(wrong)), 1)
  const far = exifOf(6)
  far.writeUInt32LE(0xffff_fff0, 4)
  assert.equal(orientationIn(far), 1)
  const many = exifOf(6)
  many.writeUInt16LE(0xffff, 8)
  many.writeUInt16LE(0x0100, 10)
  assert.equal(orientationIn(many), 1)
})

test('a generated picture is one of ours, the same for the same text and another for another', () => {
  const one = generatedPicture('one')
  assert.deepEqual(clean(one).content, one)
  assert.deepEqual(generatedPicture('one'), one)
  assert.notDeepEqual(generatedPicture('two'), one)
  assert.ok(one.length < 1500)
})
