import assert from 'node:assert/strict'
import { HeroProxy, verifyAssertion, verifyToken } from '../../sdk/index.ts'
import { goodPassword } from '../support/daemon.ts'
import { ask, signIn } from '../support/http.ts'
import { startUpstream, valuesOf, type Upstream } from '../support/upstream.ts'
import { App, callback, newPerson, post, startProvider, type Provider } from '../support/openid_stage.ts'

export const audience = 'https://wiki.example.org'

/** One credential of each kind, all for the same person or the same program. */
export interface Credentials {
  readonly cookie: string
  readonly session: string
  readonly refresh: string
  readonly kept: string
  readonly program: string
  readonly assertion: string
  readonly openid: {
    readonly access_token: string
    readonly refresh_token: string
    readonly id_token: string
  }
}
export type Kind = Exclude<keyof Credentials, 'openid'> | 'OpenID access' | 'OpenID refresh' | 'OpenID ID'

export const textOf = (all: Credentials): Record<Kind, string> => ({
  cookie: all.cookie.split('=')[1]!,
  session: all.session,
  refresh: all.refresh,
  kept: all.kept,
  program: all.program,
  assertion: all.assertion,
  'OpenID access': all.openid.access_token,
  'OpenID refresh': all.openid.refresh_token,
  'OpenID ID': all.openid.id_token,
})

export interface Doors {
  readonly provider: Provider
  readonly upstream: Upstream
  readonly app: App
  readonly program: Client
  /** Creates new credentials for a person. */
  issue(username: string): Promise<Credentials>
  /** Whether an endpoint accepts a credential. */
  readonly opens: Record<string, (token: string) => Promise<boolean>>
  close(): Promise<void>
}

type Client = { readonly client: string; readonly client_secret: string | null }

/** Starts a daemon with an application, a program and a service behind each auth mode. */
export const startDoors = async (): Promise<Doors> => {
  const provider = await startProvider()
  const { hero } = provider.daemon
  const upstream = await startUpstream()
  const { target } = upstream
  for (const [domain, auth_mode] of [
    ['local.localhost', 'local'],
    ['bearer.localhost', 'bearer'],
    ['optional.localhost', 'optional'],
  ] as const)
    await hero.proxy.routes.add({ domain, auth_mode, target, audience })
  const client = await hero.clients.add({
    anyone: true,
    name: 'App',
    client: 'app',
    redirect_uris: [callback],
    first_party: true,
  })
  const program = await hero.clients.add({ name: 'Deploy', client: 'deploy', scopes: ['read', 'write'] })
  return doorsOf(provider, upstream, client, program)
}

/** Returns the endpoints of a daemon that already has all of this in its database. */
export const doorsOf = (provider: Provider, upstream: Upstream, client: Client, program: Client): Doors => {
  const { daemon, issuer } = provider
  const { hero } = daemon
  const app = new App(issuer, client)

  const issue = async (username: string): Promise<Credentials> => {
    const cookie = await signIn(daemon, 'local.localhost', username, goodPassword)
    const { access_token: session, refresh_token } = await hero.auth.login({
      login: username,
      password: goodPassword,
    })
    const { access_token: kept } = await hero.token.create({ user: username, name: 'x', scope: 'write' })
    const grant = { grant_type: 'client_credentials' }
    const answer = await post(`${issuer}/token`, grant, program)
    await ask(daemon, 'local.localhost', '/', { headers: ['Cookie', cookie] })
    const [assertion] = valuesOf(upstream.seen.at(-1)!.rawHeaders, 'X-Hero-Assertion')
    const { body } = await app.tokens(newPerson(), username, { scope: 'openid email offline_access' })
    return {
      cookie,
      session,
      refresh: refresh_token!,
      kept,
      program: answer.body.access_token,
      assertion: assertion!,
      openid: body,
    }
  }

  const at = new HeroProxy({ url: issuer })
  const throughRoute = async (host: string, headers: string[]) => {
    const before = upstream.seen.length
    const { status } = await ask(daemon, host, '/', { headers })
    assert.ok([200, 302, 401].includes(status), `${host}: ${status}`)
    const seen = upstream.seen.slice(before)
    assert.equal(seen.length, status === 200 ? 1 : 0)
    const known = seen.some(({ rawHeaders }) => valuesOf(rawHeaders, 'X-Hero-User').length > 0)
    // An accepted credential is not forwarded, and no other secret of ours reaches the service either.
    if (known) assert.ok(!seen[0]!.rawHeaders.some((text) => headers.includes(text) && text.length > 40))
    return known
  }
  const succeeds = (calling: Promise<unknown>) =>
    calling.then(
      () => true,
      () => false,
    )
  const bearer = (token: string) => ['Authorization', `Bearer ${token}`]
  const active = async (token: string, by: Client) =>
    (await post(`${issuer}/oauth/introspect`, { token }, by)).body.active === true
  const verifyAccess = verifyToken(hero, { audience: issuer, issuer })
  const verifyAsserted = verifyAssertion(hero, { audience, issuer })

  return {
    provider,
    upstream,
    app,
    program,
    issue,
    opens: {
      'a local route, as the cookie': (token) =>
        throughRoute('local.localhost', ['Cookie', `__Host-hero_proxy_session=${token}`]),
      '/rpc': (token) => succeeds(at.as(token).auth.me()),
      'rpc.sock': (token) => succeeds(hero.as(token).auth.me()),
      'a bearer route': (token) => throughRoute('bearer.localhost', bearer(token)),
      'an optional route': (token) => throughRoute('optional.localhost', bearer(token)),
      'token.validate': async (token) => (await hero.token.validate({ token })).active,
      'auth.refresh': (refresh_token) => succeeds(hero.auth.refresh({ refresh_token })),
      '/userinfo': async (token) => (await app.userinfo(token)).status === 200,
      '/oauth/introspect': (token) => active(token, client),
      '/oauth/introspect by the program': (token) => active(token, program),
      '/token, as refresh_token': async (token) => (await app.refresh(token)).status === 200,
      verifyToken: (token) => succeeds(verifyAccess(token)),
      verifyAssertion: (token) => succeeds(verifyAsserted({ 'x-hero-assertion': token })),
    },
    close: async () => {
      at.close()
      await daemon.close()
      await upstream.close()
    },
  }
}
