import { startStage, type Stage } from '../../support/edge_stage.ts'
import { ask, type Answer } from '../../support/http.ts'
import { valuesOf } from '../../support/upstream.ts'

export type Headers = Readonly<Record<string, string | undefined>>
export const flat = (headers: Headers): string[] =>
  Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [name, value]))

/** What a proxy sends about `GET http://app.localhost/page?x=1` of 10.1.1.1, besides the client's own headers. */
export const about: Headers = {
  'X-Forwarded-Method': 'GET',
  'X-Forwarded-Proto': 'http',
  'X-Forwarded-Host': 'app.localhost',
  'X-Forwarded-Uri': '/page?x=1',
  'X-Forwarded-For': '10.1.1.1',
}

/** Every header that a 200 contains. */
export const identityNames = [
  'X-Hero-User',
  'X-Hero-Context',
  'X-Hero-Claims',
  'X-Hero-Impersonator',
  'X-Hero-Assertion',
  'X-Proxy-User-Email',
  'X-Proxy-User-Pubkey',
  'X-Proxy-Provider-Token',
  'X-Proxy-Auth-Method',
  'Cookie',
  'Authorization',
]
export const identity = ({ rawHeaders }: Answer): Record<string, string[]> =>
  Object.fromEntries(identityNames.map((name) => [name, valuesOf(rawHeaders, name)]))

export const code = ({ body }: Answer): string => (JSON.parse(body) as { code: string }).code
export const detail = ({ body }: Answer): string => (JSON.parse(body) as { detail: string }).detail

/** A daemon that trusts this machine as its proxy, with routes whose targets are never connected to. */
export const startAsking = async (): Promise<
  Stage & { question(headers: Headers, at?: string, host?: string, method?: string): Promise<Answer> }
> => {
  const stage = await startStage({ trusted_proxies: '127.0.0.1', forward_auth_from: '127.0.0.1' })
  const route = (domain: string, more: Partial<Parameters<Stage['route']>[0]>) =>
    stage.route({ domain, target: 'http://127.0.0.1:9', auth_mode: 'local', ...more })
  await route('app.localhost', {})
  await route('app.localhost', { path_prefix: '/open', auth_mode: 'optional' })
  await route('app.localhost', { path_prefix: '/team', required_claims: ['app.use'] })
  await route('app.localhost', { path_prefix: '/signed', audience: 'urn:app' })
  await route('app.localhost', { path_prefix: '/off', enabled: false })
  await stage.route({ domain: 'paths.localhost', auth_mode: 'optional' })
  await stage.route({ domain: 'paths.localhost', path_prefix: '/desk', auth_mode: 'local' })
  return {
    ...stage,
    question: (headers, at = '/auth/forward', host = '127.0.0.1:9997', method = 'GET') =>
      ask(stage.daemon, host, at, { method, headers: flat(headers) }),
  }
}
