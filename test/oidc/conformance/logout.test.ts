import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { randomBytes } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { after, before, suite, test } from 'node:test'
import { createRemoteJWKSet, exportJWK, generateKeyPair, jwtVerify, SignJWT } from 'jose'
import { RelyingParty } from '../../support/relying_party.ts'
import { callback, payloadOf, startProvider, type Provider } from '../../support/openid_stage.ts'

const bye = `${callback}/bye`

suite('conformance: signing out', () => {
  let stage: Provider
  let about: Record<string, unknown>
  before(async () => {
    stage = await startProvider()
    about = (await (await fetch(`${stage.issuer}/.well-known/openid-configuration`)).json()) as typeof about
  })
  after(() => stage.daemon.close())

  /** Somebody who is signed in to an application by us, and the application's wish to sign them out. */
  const begin = async (more: object = {}) => {
    const rp = await RelyingParty.add(stage, { post_logout_redirect_uris: [bye], ...more })
    const { tokens, idToken } = await rp.flow()
    const wish = {
      id_token_hint: tokens.id_token,
      post_logout_redirect_uri: bye,
      state: randomBytes(96).toString('base64url'),
    }
    return { rp, tokens, idToken, wish }
  }

  /** Sends the person there, who presses the button if there is one. */
  const leave = async ({ person }: RelyingParty, wish: Record<string, string>) => {
    const url = new URL('/oauth/logout', stage.issuer)
    url.search = new URLSearchParams(wish).toString()
    const page = await person.open(url)
    return page.text.includes('Sign out?')
      ? person.submit(page, '/oauth/logout/confirm', { logout: 'yes' })
      : page
  }

  const isSignedIn = async (rp: RelyingParty) => {
    const page = await rp.walk(rp.ask({ prompt: 'none' }).url)
    const { searchParams } = page.url
    assert.ok(searchParams.has('code') || searchParams.get('error') === 'login_required', String(page.url))
    return searchParams.has('code')
  }

  /** An error page of ours, or a question and then our own page: never a redirect to the application. */
  const staysHere = async (rp: RelyingParty, wish: Record<string, string>, text: RegExp) => {
    const page = await leave(rp, wish)
    assert.equal(page.url.origin, stage.issuer)
    assert.match(page.text, text)
    return page.status
  }

  test('oidcc-rp-initiated-logout-discovery-endpoint-verification', () => {
    assert.equal(about.end_session_endpoint, `${stage.issuer}/oauth/logout`)
  })

  test('oidcc-rp-initiated-logout', async () => {
    const { rp, wish } = await begin()
    assert.equal(await isSignedIn(rp), true)
    const { url } = await leave(rp, wish)
    assert.equal(url.href, `${bye}?state=${wish.state}`)
    assert.equal(await isSignedIn(rp), false)
  })

  test('the same by a form of the application (RP-Initiated Logout section 2)', async () => {
    const { rp, wish } = await begin()
    const page = await rp.person.open(new URL('/oauth/logout', stage.issuer), {
      method: 'POST',
      body: new URLSearchParams(wish).toString(),
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        origin: 'https://app.test',
        'sec-fetch-site': 'cross-site',
      },
    })
    assert.match(page.text, /Sign out\?/)
    assert.equal(await isSignedIn(rp), true)
    const { url } = await rp.person.submit(page, '/oauth/logout/confirm', { logout: 'yes' })
    assert.equal(url.href, `${bye}?state=${wish.state}`)
    assert.equal(await isSignedIn(rp), false)
  })

  test('oidcc-rp-initiated-logout-bad-post-logout-redirect-uri', async () => {
    const { rp, wish } = await begin()
    const bad = { ...wish, post_logout_redirect_uri: `${callback}/${crypto.randomUUID()}` }
    assert.equal(await staysHere(rp, bad, /post_logout_redirect_uri not registered/), 400)
  })

  test('oidcc-rp-initiated-logout-modified-id-token-hint', async () => {
    const { rp, wish } = await begin()
    const none = Buffer.from(JSON.stringify({ alg: 'none' })).toString('base64url')
    const id_token_hint = `${none}.${wish.id_token_hint.split('.')[1]}.`
    assert.equal(await staysHere(rp, { ...wish, id_token_hint }, /id_token_hint/), 400)
    assert.equal(await isSignedIn(rp), true)
  })

  test('oidcc-rp-initiated-logout-bad-id-token-hint', async () => {
    const { rp, wish } = await begin()
    const { privateKey } = await generateKeyPair('RS256', { extractable: true })
    const { kid } = payloadOf(wish.id_token_hint, 0)
    // Signed by somebody else, who says that the key is ours, or brings it along.
    const { kty, n, e } = await exportJWK(privateKey)
    for (const header of [{ kid }, {}, { jwk: { kty: kty!, n: n!, e: e! } }]) {
      const id_token_hint = await new SignJWT(payloadOf(wish.id_token_hint))
        .setProtectedHeader({ alg: 'RS256', ...header } as never)
        .sign(privateKey)
      assert.equal(await staysHere(rp, { ...wish, id_token_hint }, /id_token_hint/), 400)
    }
    assert.equal(await isSignedIn(rp), true)
  })

  test('oidcc-rp-initiated-logout-no-id-token-hint', async () => {
    const { rp, wish } = await begin()
    const { id_token_hint: _, ...rest } = wish
    await staysHere(rp, rest, /Signed out/)
  })

  test('oidcc-rp-initiated-logout-no-params', async () => {
    const { rp } = await begin()
    assert.equal(await staysHere(rp, {}, /Signed out/), 200)
    assert.equal(await isSignedIn(rp), false)
  })

  test('oidcc-rp-initiated-logout-no-post-logout-redirect-uri', async () => {
    const { rp, wish } = await begin()
    const { id_token_hint, state } = wish
    assert.equal(await staysHere(rp, { id_token_hint, state }, /Signed out/), 200)
    assert.equal(await isSignedIn(rp), false)
  })

  test('oidcc-rp-initiated-logout-no-state', async () => {
    const { rp, wish } = await begin()
    const { state: _, ...rest } = wish
    const { url } = await leave(rp, rest)
    assert.equal(url.href, bye)
    assert.equal(await isSignedIn(rp), false)
  })

  test('oidcc-rp-initiated-logout-only-state', async () => {
    const { rp, wish } = await begin()
    assert.equal(await staysHere(rp, { state: wish.state }, /Signed out/), 200)
    assert.equal(await isSignedIn(rp), false)
  })

  test('oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri', async () => {
    const { rp, wish } = await begin()
    const bad = { ...wish, post_logout_redirect_uri: `${bye}?foo=bar` }
    assert.equal(await staysHere(rp, bad, /post_logout_redirect_uri not registered/), 400)
  })

  test('oidcc-backchannel-logout-discovery-endpoint-verification', async () => {
    assert.equal(about.backchannel_logout_supported, true)
    assert.equal(about.backchannel_logout_session_supported, true)
  })

  test('oidcc-backchannel-rp-initiated-logout', async () => {
    const told: { type: string | undefined; fields: URLSearchParams }[] = []
    const application = createServer((request, response) => {
      let body = ''
      request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk))
      request.on('end', () => {
        told.push({ type: request.headers['content-type'], fields: new URLSearchParams(body) })
        response.setHeader('cache-control', 'no-store').end()
      })
    }).listen(0, '127.0.0.1')
    await new Promise((resolve) => application.once('listening', resolve))
    const { port } = application.address() as AddressInfo
    try {
      const { rp, wish, idToken } = await begin({ backchannel_logout_uri: `http://127.0.0.1:${port}/out` })
      assert.equal((await leave(rp, wish)).url.href, `${bye}?state=${wish.state}`)
      for (let i = 0; i < 80 && told.length === 0; i++) await delay(100)
      const { type, fields } = told[0]!
      assert.match(type!, /^application\/x-www-form-urlencoded/)
      assert.deepEqual([...fields.keys()], ['logout_token'])
      // OpenID Connect Back-Channel Logout section 2.4.
      const { payload, protectedHeader } = await jwtVerify(
        fields.get('logout_token')!,
        createRemoteJWKSet(new URL(`${stage.issuer}/.well-known/jwks.json`)),
        {
          issuer: stage.issuer,
          audience: rp.client.client,
          maxTokenAge: 120,
          requiredClaims: ['jti', 'exp'],
        },
      )
      assert.deepEqual([protectedHeader.alg, protectedHeader.typ], ['RS256', 'logout+jwt'])
      assert.deepEqual([payload.sub, payload.sid], [idToken.sub, idToken.sid])
      assert.ok(typeof payload.sid === 'string')
      assert.deepEqual(payload.events, { 'http://schemas.openid.net/event/backchannel-logout': {} })
      assert.equal('nonce' in payload, false)
      assert.equal(await isSignedIn(rp), false)
      await delay(1500)
      assert.equal(told.length, 1)
    } finally {
      application.close()
    }
  })
})
