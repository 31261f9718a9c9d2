import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { after, before, suite, test } from 'node:test'
import { apacheMissing, startApache } from './apache.ts'
import { goodPassword } from '../support/daemon.ts'
import { Person } from '../support/person.ts'
import { freePort } from '../support/free_port.ts'
import { App, callback, newPerson, startProvider, type Provider } from '../support/openid_stage.ts'
import { unlessLong } from '../long.ts'

/** The environment that the program behind Apache printed. */
const shown = (text: string): Record<string, string> =>
  Object.fromEntries(
    text
      .split('\n')
      .filter((line) => line.includes('='))
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  )

suite("Debian's Apache modules", () => {
  let stage: Provider
  before(async () => {
    stage = await startProvider()
  })
  after(() => stage.daemon.close())

  test(
    'mod_auth_openidc signs in, refreshes, signs out at the provider, and accepts a back-channel logout',
    { skip: apacheMissing('auth_openidc', 'libapache2-mod-auth-openidc') ?? unlessLong, timeout: 60_000 },
    async () => {
      const { hero } = stage.daemon
      const port = await freePort()
      const origin = `http://localhost:${port}`
      const home = `${origin}/secure/redirect_uri`
      const { client, client_secret } = await hero.clients.add({
        anyone: true,
        name: 'Apache',
        redirect_uris: [home],
        post_logout_redirect_uris: [`${origin}/bye`],
        backchannel_logout_uri: `${home}?logout=backchannel`,
      })
      await using apache = await startApache(
        port,
        ['auth_openidc'],
        `
OIDCProviderMetadataURL ${stage.issuer}/.well-known/openid-configuration
OIDCClientID ${client}
OIDCClientSecret ${client_secret}
OIDCRedirectURI ${home}
OIDCCryptoPassphrase of-this-test-alone
OIDCPKCEMethod S256
OIDCHTTPTimeoutShort 60
OIDCScope "openid email profile offline_access"
OIDCRemoteUserClaim preferred_username
OIDCInfoHook access_token id_token userinfo
<Location /secure>
  AuthType openid-connect
  Require valid-user
</Location>
`,
      )
      const signIn = async () => {
        const person = new Person()
        const login = await person.open(`${origin}/secure/app`)
        assert.equal(login.url.origin, stage.issuer, apache.log())
        let page = await person.signIn(login, 'ada', goodPassword)
        if (page.url.pathname.startsWith('/auth/consent/'))
          page = await person.submit(page, '/auth/consent/', { answer: 'allow' })
        assert.equal(page.url.href, `${origin}/secure/app`, apache.log())
        return { person, env: shown(page.text) }
      }
      const { person, env } = await signIn()
      assert.equal(env.REMOTE_USER, 'ada')
      assert.equal(env.OIDC_CLAIM_email, 'ada@example.org')
      assert.equal(env.OIDC_CLAIM_iss, stage.issuer)
      assert.equal(env.OIDC_CLAIM_name, 'Ada Lovelace')

      const refresh = new URL(home)
      refresh.search = new URLSearchParams({
        refresh: `${origin}/secure/app`,
        access_token: env.OIDC_access_token!,
      }).toString()
      const renewed = await person.open(refresh)
      assert.equal(renewed.url.href, `${origin}/secure/app`, apache.log())
      assert.notEqual(shown(renewed.text).OIDC_access_token, env.OIDC_access_token)
      const alive = new App(stage.issuer, { client, client_secret })
      assert.equal((await alive.userinfo(shown(renewed.text).OIDC_access_token!)).status, 200)

      const asked = await person.open(`${home}?logout=${encodeURIComponent(`${origin}/bye`)}`)
      const left = await person.submit(asked, '/oauth/logout/confirm', { logout: 'yes' })
      assert.equal(left.url.href.split('?')[0], `${origin}/bye`)
      assert.equal((await person.open(`${origin}/secure/app`)).url.origin, stage.issuer)

      // It accepts a logout token (OpenID Connect Back-Channel Logout): revoking the session here ends it there.
      const other = await signIn()
      for (const { id } of (await hero.sessions.list({ user: 'ada' })).items)
        await hero.sessions.revoke({ id })
      let at = other.person.open(`${origin}/secure/app`)
      for (let i = 0; i < 80 && (await at).url.origin !== stage.issuer; i++) {
        await delay(100)
        at = other.person.open(`${origin}/secure/app`)
      }
      assert.equal((await at).url.pathname, '/auth/login', apache.log())
    },
  )

  test(
    'mod_oauth2 introspects each token',
    { skip: apacheMissing('oauth2', 'libapache2-mod-oauth2') ?? unlessLong, timeout: 60_000 },
    async () => {
      const { hero } = stage.daemon
      const port = await freePort()
      const added = await hero.clients.add({
        anyone: true,
        name: 'API',
        redirect_uris: [callback],
        first_party: true,
      })
      const app = new App(stage.issuer, added)
      const introspection = `introspect.auth=client_secret_basic&client_id=${added.client}&client_secret=${added.client_secret}`
      await using apache = await startApache(
        port,
        ['oauth2'],
        `
<Location />
  AuthType oauth2
  OAuth2TokenVerify introspect ${stage.issuer}/oauth/introspect ${introspection}
  OAuth2TargetPass remote_user_claim=username
  Require valid-user
</Location>
`,
      )
      const get = async (token?: string) => {
        const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
        const answer = await fetch(`${apache.origin}/thing`, { headers })
        return { status: answer.status, text: await answer.text() }
      }
      const person = newPerson()
      const { body } = await app.tokens(person, 'ada')
      const good = await get(body.access_token)
      assert.equal(good.status, 200, apache.log())
      assert.equal(shown(good.text).REMOTE_USER, 'ada')
      for (const bad of [undefined, 'x', body.id_token, `${body.access_token}x`])
        assert.equal((await get(bad)).status, 401, String(bad))
      // A token of another application is refused, and so is one of a user who is not active.
      const other = new App(
        stage.issuer,
        await hero.clients.add({ anyone: true, name: 'Other', redirect_uris: [callback], first_party: true }),
      )
      assert.equal((await get((await other.tokens(person, 'ada')).body.access_token)).status, 401)
      const { body: gone } = await app.tokens(newPerson(), 'grace')
      await hero.users.update({ username: 'grace', is_active: false })
      assert.equal((await get(gone.access_token)).status, 401)
    },
  )
})
