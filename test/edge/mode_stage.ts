import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { publicKeyOf } from '../../sdk/index.ts'
import { openedByProvider } from '../../src/sessions/session.ts'
import { Sessions } from '../../src/sessions/sessions.ts'
import { byHand } from '../support/people.ts'
import { openAt, type Stage } from '../support/edge_stage.ts'
import { noReactions } from '../support/reactions.ts'

/** A new secp256k1 key pair: the private half to sign with, the public one as `users.keys.add` takes it. */
export const newKey = (): { privateKey: KeyObject; pubkey: string } => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'secp256k1' })
  return { privateKey, pubkey: publicKeyOf(privateKey) }
}

/** The Cookie header of a sign-in with a provider, or in another way, that counts at home and at these hosts. */
export const providerSession = async (
  { daemon }: Pick<Stage, 'daemon'>,
  username: string,
  provider: string,
  hosts: readonly string[],
): Promise<string> => {
  const { id } = await daemon.hero.users.get({ username })
  const opened = await byHand(daemon, (database) =>
    new Sessions(database, async () => 3600, noReactions, 'localhost').open(id, {
      kind: 'cookie',
      provider,
      factor: '',
      address: '127.0.0.1',
      user_agent: 'test',
      ...(openedByProvider({ provider }) && {
        vouching: { provider, identity_id: '', sid: '', id_token: '' },
      }),
    }),
  )
  const cookie = `__Host-hero_proxy_session=${opened.token}`
  for (const host of hosts) await openAt(daemon, host, cookie)
  return cookie
}

/** Headers that a client must not be able to set (D01). */
export const spoofed = Object.entries({
  'X-Hero-User': 'root',
  'X-Hero-Context': '0',
  'X-Hero-Claims': 'admin',
  'X-Hero-Impersonator': 'root',
  'X-Hero-Assertion': 'root',
  'X-Hero-Foo': 'root',
  'X-Proxy-User-Email': 'root@evil.test',
  'X-Proxy-User-Pubkey': 'root',
  'X-Proxy-Provider-Token': 'root',
  'X-Proxy-Auth-Method': 'local',
  x_hero_user: 'root',
}).flat()

/** The kinds of requests. */
export const kinds = {
  navigation: { method: 'GET', headers: ['Accept', 'text/html', 'Sec-Fetch-Mode', 'navigate'] },
  fetch: { method: 'GET', headers: ['Accept', '*/*'] },
  post: { method: 'POST', headers: ['Accept', 'application/json'], body: '{"a":1}' },
  websocket: { method: 'GET', headers: ['Connection', 'Upgrade', 'Upgrade', 'websocket'] },
  events: { method: 'GET', headers: ['Accept', 'text/event-stream'] },
} as const
export type Kind = keyof typeof kinds

/** How each mode refuses: the status by kind of request, and the challenge. */
export const refusals: Record<
  string,
  { status: Record<Kind, number>; challenge: RegExp; location?: string }
> = {
  token: {
    status: { navigation: 401, fetch: 401, post: 401, websocket: 401, events: 401 },
    challenge: /^Bearer realm="hero_proxy"$/,
  },
  provider: {
    status: { navigation: 503, fetch: 401, post: 401, websocket: 401, events: 401 },
    challenge: /^HeroSession /,
  },
  login: {
    status: { navigation: 302, fetch: 401, post: 401, websocket: 401, events: 401 },
    challenge: /^HeroSession /,
    location: `http://local.localhost:9997/.hero_proxy/sign_in?return_to=${encodeURIComponent('/a?b=c')}`,
  },
  sign: {
    status: { navigation: 401, fetch: 401, post: 401, websocket: 401, events: 401 },
    challenge: /^HeroSignature /,
  },
}
