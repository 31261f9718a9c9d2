import { isIP } from 'node:net'
import { homedir } from 'node:os'
import { resolve } from 'node:path'
import { isNetwork } from '../contract/networks.ts'

// Each reads the text of a setting, and returns undefined for a value that is not allowed.

export const absolute = (text: string) =>
  text === '' ? undefined : resolve(text.replace(/^~(?=\/|$)/, homedir()))

export const wholeNumber = (min: number, max: number) => (text: string) =>
  /^[0-9]{1,7}$/.test(text) && Number(text) >= min && Number(text) <= max ? Number(text) : undefined

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
  const isOrigin =
    url.pathname === '/' && url.search === '' && url.hash === '' && url.username === '' && url.password === ''
  return isOrigin && (url.protocol === 'http:' || url.protocol === 'https:') ? url.origin : undefined
}

export const parseOrigins = (text: string) => {
  const list = text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map(parseOrigin)
  return list.every((origin) => origin !== undefined) ? [...new Set(list)] : undefined
}

export const parseCidrs = (text: string) => {
  const list = text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
  return list.every(isNetwork) ? list : undefined
}
