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

suite('conformance: logout', () => {
  let stage: Provider
  let about: Record<string, unknown>
  before(async () => {
    stage = await startProvider()
    about = (await (await fetch(`${stage.issuer}/.well-known/openid-configuration`)).json()) as typeof about
  })
  after(() => stage.daemon.close())

  /** Signs a person in to a client, and returns the parameters of a logout request. */
  const begin = async (more: object = {}) => {
    const rp = await RelyingParty.add(stage, { post_logout_redirect_uris: [bye], ...more })
    const { tokens, idToken } = await rp.flow()
    const params = {
      id_token_hint: tokens.id_token,
      post_logout_redirect_uri: bye,
      state: randomBytes(96).toString('base64url'),
    }
    return { rp, tokens, idToken, params }
  }

  /** Opens the logout URL, and confirms if the page asks. */
  const signOut = async ({ person }: RelyingParty, params: Record<string, string>) => {
    const url = new URL('/oauth/logout', stage.issuer)
    url.search = new URLSearchParams(params).toString()
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

  /** Asserts that the answer is one of our pages, and never a redirect to the client. */
  const assertNoRedirect = async (rp: RelyingParty, params: Record<string, string>, text: RegExp) => {
    const page = await signOut(rp, params)
    assert.equal(page.url.origin, stage.issuer)
    assert.match(page.text, text)
    return page.status
  }

  test('oidcc-rp-initiated-logout-discovery-endpoint-verification', () => {
    assert.equal(about.end_session_endpoint, `${stage.issuer}/oauth/logout`)
  })

  test('oidcc-rp-initiated-logout', async () => {
    const { rp, params } = await begin()
    assert.equal(await isSignedIn(rp), true)
    const { url } = await signOut(rp, params)
    assert.equal(url.href, `${bye}?state=${params.state}`)
    assert.equal(await isSignedIn(rp), false)
  })

  test('a client may post the logout request with a form (RP-Initiated Logout section 2)', async () => {
    const { rp, params } = await begin()
    const page = await rp.person.open(new URL('/oauth/logout', stage.issuer), {
      method: 'POST',
      body: new URLSearchParams(params).toString(),
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        origin: 'https://app.test',
        'sec-fetch-site': 'cross-site',
      },
    })
    assert.match(page.text, /Sign out\?/)
    assert.equal(await isSignedIn(rp), true)
    const { url } = await rp.person.submit(page, '/oauth/logout/confirm', { logout: 'yes' })
    assert.equal(url.href, `${bye}?state=${params.state}`)
    assert.equal(await isSignedIn(rp), false)
  })

  test('oidcc-rp-initiated-logout-bad-post-logout-redirect-uri', async () => {
    const { rp, params } = await begin()
    const bad = { ...params, post_logout_redirect_uri: `${callback}/${crypto.randomUUID()}` }
    assert.equal(await assertNoRedirect(rp, bad, /post_logout_redirect_uri not registered/), 400)
  })

  test('oidcc-rp-initiated-logout-modified-id-token-hint', async () => {
    const { rp, params } = await begin()
    const none = Buffer.from(JSON.stringify({ alg: 'none' })).toString('base64url')
    const id_token_hint = `${none}.${params.id_token_hint.split('.')[1]}.`
    assert.equal(await assertNoRedirect(rp, { ...params, id_token_hint }, /id_token_hint/), 400)
    assert.equal(await isSignedIn(rp), true)
  })

  test('oidcc-rp-initiated-logout-bad-id-token-hint', async () => {
    const { rp, params } = await begin()
    const { privateKey } = await generateKeyPair('RS256', { extractable: true })
    const { kid } = payloadOf(params.id_token_hint, 0)
    // Signed with another key, under our kid, without a kid, or with the key in the header.
    const { kty, n, e } = await exportJWK(privateKey)
    for (const header of [{ kid }, {}, { jwk: { kty: kty!, n: n!, e: e! } }]) {
      const id_token_hint = await new SignJWT(payloadOf(params.id_token_hint))
        .setProtectedHeader({ alg: 'RS256', ...header } as never)
        .sign(privateKey)
      assert.equal(await assertNoRedirect(rp, { ...params, id_token_hint }, /id_token_hint/), 400)
    }
    assert.equal(await isSignedIn(rp), true)
  })

  test('oidcc-rp-initiated-logout-no-id-token-hint', async () => {
    const { rp, params } = await begin()
    const { id_token_hint: _, ...rest } = params
    await assertNoRedirect(rp, rest, /Signed out/)
  })

  test('oidcc-rp-initiated-logout-no-params', async () => {
    const { rp } = await begin()
    assert.equal(await assertNoRedirect(rp, {}, /Signed out/), 200)
    assert.equal(await isSignedIn(rp), false)
  })

  test('oidcc-rp-initiated-logout-no-post-logout-redirect-uri', async () => {
    const { rp, params } = await begin()
    const { id_token_hint, state } = params
    assert.equal(await assertNoRedirect(rp, { id_token_hint, state }, /Signed out/), 200)
    assert.equal(await isSignedIn(rp), false)
  })

  test('oidcc-rp-initiated-logout-no-state', async () => {
    const { rp, params } = await begin()
    const { state: _, ...rest } = params
    const { url } = await signOut(rp, rest)
    assert.equal(url.href, bye)
    assert.equal(await isSignedIn(rp), false)
  })

  test('oidcc-rp-initiated-logout-only-state', async () => {
    const { rp, params } = await begin()
    assert.equal(await assertNoRedirect(rp, { state: params.state }, /Signed out/), 200)
    assert.equal(await isSignedIn(rp), false)
  })

  test('oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri', async () => {
    const { rp, params } = await begin()
    const bad = { ...params, post_logout_redirect_uri: `${bye}?foo=bar` }
    assert.equal(await assertNoRedirect(rp, bad, /post_logout_redirect_uri not registered/), 400)
  })

  test('oidcc-backchannel-logout-discovery-endpoint-verification', async () => {
    assert.equal(about.backchannel_logout_supported, true)
    assert.equal(about.backchannel_logout_session_supported, true)
  })

  test('oidcc-backchannel-rp-initiated-logout', async () => {
    const received: { type: string | undefined; fields: URLSearchParams }[] = []
    const application = createServer((request, response) => {
      let body = ''
      request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk))
      request.on('end', () => {
        received.push({ type: request.headers['content-type'], fields: new URLSearchParams(body) })
        response.setHeader('cache-control', 'no-store').end()
      })
    }).listen(0, '127.0.0.1')
    await new Promise((resolve) => application.once('listening', resolve))
    const { port } = application.address() as AddressInfo
    try {
      const { rp, params, idToken } = await begin({ backchannel_logout_uri: `http://127.0.0.1:${port}/out` })
      assert.equal((await signOut(rp, params)).url.href, `${bye}?state=${params.state}`)
      for (let i = 0; i < 80 && received.length === 0; i++) await delay(100)
      const { type, fields } = received[0]!
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
      assert.equal(received.length, 1)
    } finally {
      application.close()
    }
  })
})
