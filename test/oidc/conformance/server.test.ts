import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { decodeProtectedHeader } from 'jose'
import { refused } from '../../support/refused.ts'
import { RelyingParty } from '../../support/relying_party.ts'
import { callback, newPerson, pkce, post, startProvider, type Provider } from '../../support/openid_stage.ts'

suite('conformance: the code flow', () => {
  let stage: Provider
  before(async () => {
    stage = await startProvider()
  })
  after(() => stage.daemon.close())

  test('oidcc-server', async () => {
    const rp = await RelyingParty.add(stage)
    const { code, tokens, idToken } = await rp.flow()
    assert.ok(code !== tokens.access_token)
    assert.deepEqual(rp.seen, ['/auth/login', '/auth/consent'])
    // The ID token contains no claims about the person that were not requested.
    const protocol = new Set('iss sub aud exp iat nonce acr amr auth_time at_hash sid'.split(' '))
    assert.deepEqual(
      Object.keys(idToken).filter((name) => !protocol.has(name)),
      [],
    )
  })

  test('oidcc-response-type-missing', async () => {
    const rp = await RelyingParty.add(stage)
    const error = await rp.refused(rp.ask({ response_type: undefined }))
    assert.ok(['invalid_request', 'unsupported_response_type'].includes(error!), String(error))
  })

  test('oidcc-idtoken-signature', async () => {
    const { tokens } = await (await RelyingParty.add(stage)).flow()
    const { alg, kid } = decodeProtectedHeader(tokens.id_token)
    assert.equal(alg, 'RS256')
    const { keys } = (await (await fetch(`${stage.issuer}/.well-known/jwks.json`)).json()) as {
      keys: Record<string, string>[]
    }
    const named = keys.filter((key) => key.kid === kid)
    assert.equal(named.length, 1)
    assert.deepEqual([named[0]!.kty, named[0]!.alg, named[0]!.use], ['RSA', 'RS256', 'sig'])
    // No private or symmetric key is published.
    assert.ok(keys.every((key) => !('d' in key) && key.kty !== 'oct'))
  })

  test('oidcc-idtoken-unsigned', async () => {
    const about = await (await fetch(`${stage.issuer}/.well-known/openid-configuration`)).json()
    const { id_token_signing_alg_values_supported } = about as Record<string, string[]>
    assert.deepEqual(id_token_signing_alg_values_supported, ['RS256'])
    // A client cannot register for it or request it.
    const field = { name: 'x', redirect_uris: [callback], id_token_signed_response_alg: 'none' }
    await refused(stage.daemon.hero.clients.add(field), 'invalid_params', 'id_token_signed_response_alg')
    const rp = await RelyingParty.add(stage)
    const { tokens } = await rp.flow({ id_token_signed_response_alg: 'none' })
    assert.equal(decodeProtectedHeader(tokens.id_token).alg, 'RS256')
  })

  test('oidcc-userinfo-get', async () => {
    const rp = await RelyingParty.add(stage)
    const { tokens, idToken } = await rp.flow()
    await rp.checkUserinfo(await rp.userinfo(tokens.access_token), idToken.sub)
  })

  test('oidcc-userinfo-post-header', async () => {
    const rp = await RelyingParty.add(stage)
    const { tokens, idToken } = await rp.flow()
    const headers = { authorization: `Bearer ${tokens.access_token}` }
    await rp.checkUserinfo(await fetch(`${stage.issuer}/userinfo`, { method: 'POST', headers }), idToken.sub)
  })

  test('oidcc-userinfo-post-body', async () => {
    const rp = await RelyingParty.add(stage)
    const { tokens, idToken } = await rp.flow()
    const body = new URLSearchParams({ access_token: tokens.access_token })
    await rp.checkUserinfo(await fetch(`${stage.issuer}/userinfo`, { method: 'POST', body }), idToken.sub)
    // A token in the query is refused: it would show up in logs and the Referer.
    const shown = await fetch(`${stage.issuer}/userinfo?access_token=${tokens.access_token}`)
    assert.equal(shown.status, 400)
  })

  test('oidcc-ensure-request-without-nonce-succeeds-for-code-flow', async () => {
    const { idToken } = await (await RelyingParty.add(stage)).flow({ nonce: undefined })
    assert.equal('nonce' in idToken, false)
  })

  test('oidcc-ensure-request-with-unknown-parameter-succeeds', async () => {
    await (await RelyingParty.add(stage)).flow({ extra: 'foobar' })
  })

  test('oidcc-codereuse', async () => {
    const rp = await RelyingParty.add(stage)
    const { code } = await rp.flow()
    const { status, body } = await rp.exchange(code)
    assert.deepEqual([status, body.error], [400, 'invalid_grant'])
  })

  test('oidcc-codereuse-30seconds', async (t) => {
    const rp = await RelyingParty.add(stage)
    const { code, tokens } = await rp.flow()
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 30_000 })
    const { status, body } = await rp.exchange(code)
    assert.deepEqual([status, body.error], [400, 'invalid_grant'])
    // The tokens from the first redemption are revoked (RFC 6749 section 4.1.2).
    assert.equal((await rp.userinfo(tokens.access_token)).status, 401)
  })

  test('oidcc-ensure-registered-redirect-uri', async () => {
    const rp = await RelyingParty.add(stage)
    const page = await rp.walk(rp.ask({ redirect_uri: `${callback}/${crypto.randomUUID()}` }).url)
    assert.deepEqual([page.url.origin, page.status], [stage.issuer, 400])
    assert.match(page.text, /redirect_uri/)
  })

  test('oidcc-ensure-post-request-succeeds', async () => {
    const rp = await RelyingParty.add(stage)
    const request = rp.ask()
    const code = await rp.authorize(
      { ...request, url: new URL('/authorize', stage.issuer) },
      {
        method: 'POST',
        body: request.url.searchParams.toString(),
        headers: { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'cross-site' },
      },
    )
    await rp.checkTokens(await rp.exchange(code), request.nonce)
  })

  test('oidcc-server-client-secret-post', async () => {
    const rp = await RelyingParty.add(stage)
    const request = rp.ask()
    const code = await rp.authorize(request)
    const { client, client_secret } = rp.client
    const fields = { grant_type: 'authorization_code', code, redirect_uri: callback }
    const sent = { ...fields, client_id: client, client_secret: client_secret! }
    await rp.checkTokens(await post(`${stage.issuer}/token`, sent), request.nonce)
  })

  test('oidcc-refresh-token', async () => {
    const add = () => RelyingParty.add(stage, {}, newPerson())
    const [first, second] = [await add(), await add()]
    const refreshed = async (rp: RelyingParty) => {
      const { tokens, idToken } = await rp.flow({ scope: 'openid offline_access', prompt: 'consent' })
      assert.match(tokens.refresh_token, /^[\x20-\x7e]+$/)
      const answer = await rp.refresh(tokens.refresh_token)
      // OpenID Connect Core section 12.2: same subject, same auth_time, and the nonce of the original request.
      const next = await rp.checkTokens(answer, idToken.nonce as string)
      for (const name of ['iss', 'sub', 'aud', 'azp', 'auth_time'])
        assert.deepEqual(next[name], idToken[name], name)
      assert.ok(next.iat! >= idToken.iat!)
      assert.notEqual(answer.body.access_token, tokens.access_token)
      await rp.checkUserinfo(await rp.userinfo(answer.body.access_token), idToken.sub)
      return answer.body.refresh_token
    }
    await refreshed(first)
    const { status, body } = await first.refresh(await refreshed(second))
    assert.deepEqual([status, body.error], [400, 'invalid_grant'])
  })

  test('oidcc-ensure-request-with-valid-pkce-succeeds', async () => {
    const { code_verifier, challenge } = pkce()
    await (await RelyingParty.add(stage)).flow(challenge, { code_verifier })
  })
})
