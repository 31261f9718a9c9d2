import type { OutgoingHttpHeaders } from 'node:http2'

/** What Firefox sends for an image, with each cookie in a field of its own; the query changes each time. */
export const browser = (i: number, ...cookies: readonly string[]): OutgoingHttpHeaders => ({
  ':path': `/pictures/${i}.png?v=${i}`,
  'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0',
  accept: 'image/avif,image/webp,*/*;q=0.8',
  'accept-language': 'en-GB,en;q=0.7',
  'accept-encoding': 'gzip, deflate, br, zstd',
  referer: `https://lanes.localhost/${i}`,
  cookie: [...cookies],
  'sec-fetch-dest': 'image',
  'sec-fetch-mode': 'no-cors',
  'sec-fetch-site': 'same-origin',
  te: 'trailers',
})

export const times = <T>(count: number, make: (i: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i))
