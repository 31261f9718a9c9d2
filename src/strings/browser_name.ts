import type { Catalogue } from './catalogue.ts'

const first = (agent: string, names: readonly (readonly [RegExp, string])[]): string | undefined =>
  names.find(([pattern]) => pattern.test(agent))?.[1]

/** Product names, the same in every language. */
const browsers = [
  [/\bEdg(e|A|iOS)?\//, 'Edge'],
  [/\bOPR\//, 'Opera'],
  [/\b(Firefox|FxiOS)\//, 'Firefox'],
  [/\b(HeadlessChrome|Chrome|CriOS)\//, 'Chrome'],
  [/\bSafari\//, 'Safari'],
  [/^curl\//, 'curl'],
] as const

const systems = [
  [/\b(iPhone|iPad)\b/, 'iOS'],
  [/\bAndroid\b/, 'Android'],
  [/\bWindows\b/, 'Windows'],
  [/\bMac OS X\b/, 'macOS'],
  [/\bLinux\b/, 'Linux'],
] as const

/** Names a device in a few words, from its User-Agent. Nothing proves that header. */
export const deviceOf = ({ account: { sessions } }: Catalogue, agent: string): string => {
  const browser = first(agent, browsers)
  const system = first(agent, systems)
  if (browser && system) return sessions.device({ browser, system })
  if (/^(node|undici)/i.test(agent)) return sessions.program
  return browser ?? system ?? (agent.slice(0, 40) || sessions.unknown_device)
}
