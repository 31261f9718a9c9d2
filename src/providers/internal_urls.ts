import { invalidParams } from '../contract/errors.ts'
import type { Provider } from './provider.ts'

type InternalUrls = Provider['internal_urls']

const isBase = (text: string): boolean => {
  if (!URL.canParse(text)) return false
  const { username, password, search, hash, href } = new URL(text)
  return (
    username === '' &&
    password === '' &&
    search === '' &&
    hash === '' &&
    (href === text || href === `${text}/`)
  )
}

/** Throws invalid_params unless each entry leads from one plain address to another. */
export const checkInternalUrls = (urls: InternalUrls): void => {
  for (const [i, entry] of urls.entries())
    for (const name of ['public', 'internal'] as const)
      if (!isBase(entry[name]))
        throw invalidParams(
          `internal_urls.${i}.${name}`,
          'an address in its normal form, without query, fragment and user information',
        )
}

const bare = (base: string): string => base.replace(/\/$/, '')

/** Whether an address is below a base: the same origin, and the same path or one below. */
export const isBelow = (href: string, base: string): boolean =>
  href === bare(base) || ['/', '?'].some((next) => href.startsWith(bare(base) + next))

type Fetch<Init> = (address: string | URL, init?: Init) => Promise<Response>

/** Wraps `fetch` so that requests for the public addresses of a provider go where we reach it. */
export const internally =
  <Init>(fetch: Fetch<Init>, urls: InternalUrls): Fetch<Init> =>
  (address, init) => {
    const { href } = new URL(address)
    const entry = urls.find((one) => isBelow(href, one.public))
    return fetch(entry ? bare(entry.internal) + href.slice(bare(entry.public).length) : address, init)
  }
