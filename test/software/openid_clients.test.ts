import assert from 'node:assert/strict'
import { createServer, type RequestListener, type Server } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { readFileSync } from 'node:fs'
import { after, before, suite, test } from 'node:test'
import express from 'express'
import session from 'express-session'
import * as openid from 'openid-client'
import passport from 'passport'
import type { Browser } from 'playwright-core'
import { browserMissing, startBrowser } from '../support/browser.ts'
import { goodPassword } from '../support/daemon.ts'
import { Person } from '../support/person.ts'
import { startProvider, type Provider } from '../support/openid_stage.ts'

const serve = async (listener: RequestListener): Promise<{ server: Server; origin: string }> => {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { server, origin: `http://localhost:${(server.address() as AddressInfo).port}` }
}

suite('unmodified OpenID Connect libraries', () => {
  let stage: Provider
  const servers: Server[] = []
  before(async () => {
    stage = await startProvider()
  })
  after(async () => {
    for (const server of servers) server.close()
    for (const server of servers) server.closeAllConnections()
    await stage.daemon.close()
  })

  /** Opens a page of an application that requires a sign-in, and signs in on the way. */
  const visit = async (address: string) => {
    const person = new Person()
    const login = await person.open(address)
    assert.equal(login.url.origin, stage.issuer)
    const page = await person.signIn(login, 'ada', goodPassword)
    return { person, page }
  }

  const startApplication = async () => {
    let listener: RequestListener = (_, response) => void response.writeHead(503).end()
    const started = await serve((request, response) => listener(request, response))
    servers.push(started.server)
    return { ...started, use: (given: RequestListener) => (listener = given) }
  }

  test('openid-client: discovery, sign-in, userinfo, refresh, introspection, revocation, sign-out', async () => {
    const redirect_uri = 'http://localhost:4998/cb'
    const { client, client_secret } = await stage.daemon.hero.clients.add({
      anyone: true,
      name: 'openid-client',
      redirect_uris: [redirect_uri],
      first_party: true,
    })
    const config = await openid.discovery(new URL(stage.issuer), client, client_secret!, undefined, {
      execute: [openid.allowInsecureRequests],
    })
    const code_verifier = openid.randomPKCECodeVerifier()
    const state = openid.randomState()
    const nonce = openid.randomNonce()
    const url = openid.buildAuthorizationUrl(config, {
      redirect_uri,
      scope: 'openid email offline_access',
      code_challenge: await openid.calculatePKCECodeChallenge(code_verifier),
      code_challenge_method: 'S256',
      state,
      nonce,
    })
    const person = new Person(({ href }) => href.startsWith(redirect_uri))
    const back = await person.signIn(await person.open(url), 'ada', goodPassword)
    const tokens = await openid.authorizationCodeGrant(config, back.url, {
      pkceCodeVerifier: code_verifier,
      expectedState: state,
      expectedNonce: nonce,
    })
    const { sub } = tokens.claims()!
    assert.equal((await openid.fetchUserInfo(config, tokens.access_token, sub)).email, 'ada@example.org')
    const next = await openid.refreshTokenGrant(config, tokens.refresh_token!)
    assert.equal((await openid.tokenIntrospection(config, next.access_token)).active, true)
    await openid.tokenRevocation(config, next.access_token)
    assert.equal((await openid.tokenIntrospection(config, next.access_token)).active, false)
    const end = openid.buildEndSessionUrl(config, { id_token_hint: tokens.id_token! })
    const left = await person.submit(await person.open(end), '/oauth/logout/confirm', { logout: 'yes' })
    assert.match(left.text, /Signed out/)
    const again = await person.open(url)
    assert.equal(again.url.pathname, '/auth/login')
  })

  test('openid-client: pushed authorization requests, private_key_jwt, resource indicators, device flow', async () => {
    const redirect_uri = 'http://localhost:4998/cb'
    const { publicKey, privateKey } = await crypto.subtle.generateKey(
      { name: 'ECDSA', namedCurve: 'P-256' },
      true,
      ['sign', 'verify'],
    )
    const { kty, crv, x, y } = await crypto.subtle.exportKey('jwk', publicKey)
    const { client } = await stage.daemon.hero.clients.add({
      anyone: true,
      name: 'keyed',
      redirect_uris: [redirect_uri],
      first_party: true,
      scopes: ['openid', 'read'],
      grants: ['authorization_code', 'client_credentials', 'device_code'],
      jwks: { keys: [{ kty: kty!, crv: crv!, x: x!, y: y!, kid: 'k', alg: 'ES256' }] },
    })
    const config = await openid.discovery(
      new URL(stage.issuer),
      client,
      undefined,
      openid.PrivateKeyJwt({ key: privateKey, kid: 'k' }),
      { execute: [openid.allowInsecureRequests] },
    )
    const code_verifier = openid.randomPKCECodeVerifier()
    const url = await openid.buildAuthorizationUrlWithPAR(config, {
      redirect_uri,
      scope: 'openid read',
      resource: stage.issuer,
      code_challenge: await openid.calculatePKCECodeChallenge(code_verifier),
      code_challenge_method: 'S256',
    })
    assert.ok(url.searchParams.get('request_uri'))
    const person = new Person(({ href }) => href.startsWith(redirect_uri))
    const back = await person.signIn(await person.open(url), 'ada', goodPassword)
    const tokens = await openid.authorizationCodeGrant(
      config,
      back.url,
      { pkceCodeVerifier: code_verifier },
      { resource: stage.issuer },
    )
    const claims = JSON.parse(
      Buffer.from(tokens.access_token.split('.')[1]!, 'base64url').toString(),
    ) as Record<string, unknown>
    assert.deepEqual([claims.aud, claims.scope, claims.username], [stage.issuer, 'read', 'ada'])
    const own = await openid.clientCredentialsGrant(config, { scope: 'read' })
    assert.equal(own.scope, 'read')
    const device = await openid.initiateDeviceAuthorization(config, { scope: 'openid' })
    const form = await person.open(device.verification_uri_complete!)
    const confirm = await person.submit(form, '', {})
    const done = await person.submit(confirm, '/device', { confirm: 'yes' })
    assert.match(done.text, /is signed in/)
    const signedIn = await openid.pollDeviceAuthorizationGrant(config, device)
    assert.ok(signedIn.id_token)
  })

  test('passport-openidconnect: a confidential client without PKCE', async () => {
    const { origin, use } = await startApplication()
    const { client, client_secret } = await stage.daemon.hero.clients.add({
      anyone: true,
      name: 'passport',
      redirect_uris: [`${origin}/cb`],
      pkce: false,
      first_party: true,
    })
    const { default: OpenIDConnectStrategy } = await import('passport-openidconnect')
    const auth = new passport.Passport()
    const done = (_: string, profile: object, next: (error: null, user: object) => void) =>
      next(null, profile)
    auth.use(
      new OpenIDConnectStrategy(
        {
          issuer: stage.issuer,
          authorizationURL: `${stage.issuer}/authorize`,
          tokenURL: `${stage.issuer}/token`,
          userInfoURL: `${stage.issuer}/userinfo`,
          clientID: client,
          clientSecret: client_secret!,
          callbackURL: `${origin}/cb`,
          scope: 'profile email',
        },
        done as never,
      ),
    )
    auth.serializeUser((user, next) => next(null, user))
    auth.deserializeUser((user: object, next) => next(null, user as never))
    const app = express()
    app.use(session({ secret: 'x', resave: false, saveUninitialized: true }), auth.session())
    app.get('/', (request, response, next) => (request.user ? next() : response.redirect('/login')))
    app.get('/', (request, response) => void response.json(request.user))
    app.get('/login', auth.authenticate('openidconnect'))
    app.get('/cb', auth.authenticate('openidconnect'), (_, response) => response.redirect('/'))
    use(app)
    const { page } = await visit(`${origin}/`)
    const user = JSON.parse(page.text) as { displayName: string; emails: { value: string }[] }
    assert.deepEqual([user.displayName, user.emails[0]!.value], ['Ada Lovelace', 'ada@example.org'])
  })

  test('express-openid-connect: sign-in, and sign-out at the provider', async () => {
    const { origin, use } = await startApplication()
    const { client, client_secret } = await stage.daemon.hero.clients.add({
      anyone: true,
      name: 'express',
      redirect_uris: [`${origin}/callback`],
      post_logout_redirect_uris: [`${origin}`, `${origin}/`],
      first_party: true,
    })
    const { auth, requiresAuth } = (await import('express-openid-connect')).default
    const app = express()
    app.use(
      auth({
        issuerBaseURL: stage.issuer,
        baseURL: origin,
        clientID: client,
        clientSecret: client_secret!,
        secret: 'a secret of thirty-two characters',
        authRequired: false,
        idpLogout: true,
        authorizationParams: { response_type: 'code', scope: 'openid profile email' },
      }),
    )
    app.get('/me', requiresAuth(), (request, response) => void response.json(request.oidc.user))
    app.get('/', (_, response) => void response.send('bye'))
    use(app)
    const { person, page } = await visit(`${origin}/me`)
    assert.equal((JSON.parse(page.text) as { preferred_username: string }).preferred_username, 'ada')
    const asked = await person.open(`${origin}/logout`)
    const left = await person.submit(asked, '/oauth/logout/confirm', { logout: 'yes' })
    assert.equal(left.text, 'bye')
    assert.equal((await person.open(`${origin}/me`)).url.pathname, '/auth/login')
  })

  test(
    'oidc-client-ts in Chromium: a single-page application, allowed by CORS and the Content-Security-Policy',
    { skip: browserMissing() ?? false },
    async () => {
      const { origin, use } = await startApplication()
      const script = readFileSync(
        new URL('../../node_modules/oidc-client-ts/dist/browser/oidc-client-ts.min.js', import.meta.url),
      )
      const { client } = await stage.daemon.hero.clients.add({
        anyone: true,
        name: 'page',
        public: true,
        redirect_uris: [`${origin}/`],
        post_logout_redirect_uris: [`${origin}/bye`],
        first_party: true,
      })
      use((request, response) => {
        if (request.url === '/oidc.js')
          return void response.setHeader('content-type', 'text/javascript').end(script)
        response.setHeader('content-type', 'text/html')
          .end(`<!doctype html><title>page</title><p id="said"></p><button>out</button><script src="/oidc.js"></script><script type="module">
        const manager = new oidc.UserManager({ authority: '${stage.issuer}', client_id: '${client}', redirect_uri: '${origin}/', post_logout_redirect_uri: '${origin}/bye', scope: 'openid profile email', loadUserInfo: true })
        document.querySelector('button').onclick = () => manager.signoutRedirect()
        const say = (text) => (document.querySelector('#said').textContent = text)
        try {
          if (location.pathname === '/bye') say('bye')
          else if (!location.search) await manager.signinRedirect()
          else {
            await manager.signinRedirectCallback()
            const user = await manager.signinSilent()
            say('hello ' + user.profile.preferred_username + ' ' + user.profile.email)
          }
        } catch (error) { say('error ' + error.message) }
      </script>`)
      })
      let browser: Browser | undefined
      try {
        browser = await startBrowser()
        const page = await browser.newPage()
        await page.goto(`${origin}/`)
        await page.locator('#login:focus').waitFor()
        await page.getByLabel('Username or email').fill('ada')
        await page.getByLabel('Password').fill(goodPassword)
        await page.keyboard.press('Enter')
        await page.waitForURL(`${origin}/**`)
        await page.waitForFunction("document.querySelector('#said')?.textContent")
        assert.equal(await page.locator('#said').innerText(), 'hello ada ada@example.org')
        await page.getByRole('button', { name: 'out' }).click()
        await page.getByRole('button', { name: 'Sign out' }).click()
        await page.waitForURL(`${origin}/bye**`)
        assert.equal(await page.locator('#said').innerText(), 'bye')
      } finally {
        await browser?.close()
      }
    },
  )
})
