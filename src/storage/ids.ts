import { randomFillSync } from 'node:crypto'

const bytes = Buffer.alloc(16)
/** Random bytes for the next ids: generating eight bytes takes almost as long as four thousand. */
const random = Buffer.alloc(4096)
let used = random.length
let last = 0
let counter = 0

/** UUID version 7 (RFC 9562 section 5.7). Ids made later in this process sort later, even within one millisecond. */
export const newId = (): string => {
  const now = Date.now()
  if (now > last) {
    last = now
    counter = 0
  } else if (++counter > 0xfff) {
    // RFC 9562 section 6.2, method 1: a full counter borrows from the next millisecond.
    last += 1
    counter = 0
  }
  if (used === random.length) {
    randomFillSync(random)
    used = 0
  }
  random.copy(bytes, 8, used, (used += 8))
  bytes.writeUIntBE(last, 0, 6)
  bytes.writeUInt16BE(0x7000 | counter, 6)
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  const hex = bytes.toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

/** Unix time in seconds. */
export const now = (): number => Math.floor(Date.now() / 1000)
