import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { RelyingParty } from '../../support/relying_party.ts'
import { startProvider, type Provider } from '../../support/openid_stage.ts'

suite('conformance: scopes, claims and optional request parameters', () => {
  let stage: Provider
  before(async () => {
    stage = await startProvider()
  })
  after(() => stage.daemon.close())

  /** Returns the userinfo claims for these scopes, without the subject. */
  const userinfoFor = async (scope: string) => {
    const { userinfo, idToken } = await (await RelyingParty.add(stage)).flow({ scope })
    const { sub: _, ...rest } = userinfo
    return { rest, idToken }
  }
  const profile = { name: 'Ada Lovelace', preferred_username: 'ada' }
  const email = { email: 'ada@example.org', email_verified: true }

  test('oidcc-scope-profile', async () => {
    const { rest } = await userinfoFor('openid profile')
    const { updated_at, picture, ...named } = rest
    assert.deepEqual(named, profile)
    assert.ok(String(picture).startsWith(`${stage.issuer}/`))
    assert.ok(Number.isInteger(updated_at) && Number(updated_at) <= Date.now() / 1000)
  })

  test('oidcc-scope-email', async () => {
    const { rest, idToken } = await userinfoFor('openid email')
    assert.deepEqual(rest, email)
    assert.equal('name' in idToken, false)
  })

  // We store no postal address or phone number.
  test('oidcc-scope-address', async () => {
    assert.deepEqual((await userinfoFor('openid address')).rest, {})
  })

  test('oidcc-scope-phone', async () => {
    assert.deepEqual((await userinfoFor('openid phone')).rest, {})
  })

  test('oidcc-scope-all', async () => {
    const {
      updated_at: _,
      picture: __,
      ...rest
    } = (await userinfoFor('openid profile email address phone')).rest
    assert.deepEqual(rest, { ...profile, ...email })
  })

  test('oidcc-alternate-happy-flow', async () => {
    const rp = await RelyingParty.add(stage)
    const request = rp.ask({ scope: 'email openid' })
    const reversed = new URL(request.url)
    reversed.search = new URLSearchParams([...request.url.searchParams].toReversed()).toString()
    const code = await rp.authorize({ ...request, url: reversed })
    const answer = await rp.exchange(code)
    const { sub } = await rp.checkTokens(answer, request.nonce)
    const about = await rp.checkUserinfo(await rp.userinfo(answer.body.access_token), sub)
    assert.deepEqual(about, { sub, ...email })
  })

  test('oidcc-claims-essential', async () => {
    const claims = JSON.stringify({ userinfo: { name: { essential: true } } })
    const { userinfo, idToken } = await (await RelyingParty.add(stage)).flow({ claims })
    assert.equal(userinfo.name, 'Ada Lovelace')
    assert.equal('name' in idToken, false)
  })

  test('oidcc-claims-locales', async () => {
    await (await RelyingParty.add(stage)).flow({ claims_locales: 'se' })
  })

  test('oidcc-ui-locales', async () => {
    await (await RelyingParty.add(stage)).flow({ ui_locales: 'se' })
  })

  test('oidcc-display-page', async () => {
    await (await RelyingParty.add(stage)).flow({ display: 'page' })
  })

  test('oidcc-display-popup', async () => {
    await (await RelyingParty.add(stage)).flow({ display: 'popup' })
  })

  test('oidcc-login-hint', async () => {
    const rp = await RelyingParty.add(stage)
    await rp.flow({ login_hint: 'buffy@example.org' })
    // The hint is prefilled and escaped.
    const fresh = await RelyingParty.add(stage)
    const hint = '"><script>alert(1)</script>ada'
    const page = await fresh.person.open(fresh.ask({ login_hint: hint }).url)
    assert.equal(page.url.pathname, '/auth/login')
    assert.match(page.text, /name="login" value="&quot;&gt;&lt;script&gt;alert\(1\)&lt;\/script&gt;ada"/)
    assert.equal(page.text.includes('<script>alert'), false)
  })

  test('oidcc-ensure-request-with-acr-values-succeeds', async () => {
    const { idToken } = await (await RelyingParty.add(stage)).flow({ acr_values: '1 2' })
    assert.ok(idToken.acr === undefined || idToken.acr === '1' || idToken.acr === '2')
  })
})
