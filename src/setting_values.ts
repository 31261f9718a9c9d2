import { isIP } from 'node:net'
import { homedir } from 'node:os'
import { resolve } from 'node:path'
import type { Config } from './config.ts'

export interface Setting<K extends keyof Config> {
  /** The flag is `--` and the name with hyphens; in hero_proxy.toml the name stands as it is. */
  readonly name: K
  readonly env: readonly string[]
  /** Never shown in an error or in the log. */
  readonly secret?: true
  /** No flag: everybody on the machine can read a program's arguments. */
  readonly no_flag?: true
  readonly meaning: string
  readonly allowed: string
  /** As shown in the README. */
  readonly default_text: string
  readonly default: (before: Partial<Config>) => Config[K]
  /** Returns undefined for a value that is not allowed. */
  readonly parse: (text: string) => Config[K] | undefined
}

export const setting = <K extends keyof Config>(row: Setting<K>) => row

// What settings are parsed by: each returns undefined for text that is not allowed.

export const absolute = (text: string) =>
  text === '' ? undefined : resolve(text.replace(/^~(?=\/|$)/, homedir()))

export const files = (text: string) => {
  const list = text.split(',').map((part) => absolute(part.trim()))
  return list.every((path) => path !== undefined) ? list : undefined
}

export const parseListen = (text: string) => {
  const parts = /^(?:\[([0-9a-fA-F:.]+)\]|([^:\s]+)):([0-9]{1,5})$/.exec(text)
  const port = Number(parts?.[3])
  const host = parts?.[1] ?? parts?.[2] ?? ''
  return parts && port <= 65535 && (host === 'localhost' || isIP(host)) ? { host, port } : undefined
}

export const parseOrigin = (text: string) => {
  if (!URL.canParse(text)) return undefined
  const url = new URL(text)
  const plain =
    url.pathname === '/' && url.search === '' && url.hash === '' && url.username === '' && url.password === ''
  return plain && (url.protocol === 'http:' || url.protocol === 'https:') ? url.origin : undefined
}

export const parseCidrs = (text: string) => {
  const list = text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
  const valid = list.every((part) => {
    const [address = '', bits, more] = part.split('/')
    const family = isIP(address)
    if (family === 0 || more !== undefined) return false
    return bits === undefined || (/^[0-9]{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128))
  })
  return valid ? list : undefined
}
