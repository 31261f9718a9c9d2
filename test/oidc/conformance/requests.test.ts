import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { RelyingParty } from '../../support/relying_party.ts'
import { callback, startProvider, type Provider } from '../../support/openid_stage.ts'

/** Returns an unsigned request object (OpenID Connect Core section 6.1). */
const unsigned = (claims: object): string =>
  [{ alg: 'none' }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.') +
  '.'

// We support PAR; request objects are refused as OpenID Connect Core section 3.1.2.6 requires.
suite('conformance: request objects', () => {
  let stage: Provider
  let rp: RelyingParty
  before(async () => {
    stage = await startProvider()
    rp = await RelyingParty.add(stage)
    // A signed-in person would get a code if the request object were accepted.
    await rp.flow()
  })
  after(() => stage.daemon.close())

  const objectOf = ({ searchParams }: URL) => unsigned(Object.fromEntries(searchParams))

  test('oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported', async () => {
    const authorization = rp.ask()
    authorization.url.searchParams.set('request', objectOf(authorization.url))
    assert.equal(await rp.refused(authorization), 'request_not_supported')
    const about = await (await fetch(`${stage.issuer}/.well-known/openid-configuration`)).json()
    assert.notEqual((about as Record<string, unknown>).request_parameter_supported, true)
  })

  test('oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported', async () => {
    const authorization = rp.ask()
    authorization.url.searchParams.set('request_uri', `${callback}/request#${crypto.randomUUID()}`)
    const page = await rp.walk(authorization.url)
    assert.equal(page.url.searchParams.get('error'), 'request_uri_not_supported', page.text)
    const about = await (await fetch(`${stage.issuer}/.well-known/openid-configuration`)).json()
    // It defaults to true (OpenID Connect Discovery section 3), so it must be present.
    assert.equal((about as Record<string, unknown>).request_uri_parameter_supported, false)
  })

  test('oidcc-ensure-request-object-with-redirect-uri', async () => {
    const authorization = rp.ask()
    const request = objectOf(authorization.url)
    authorization.url.searchParams.set('redirect_uri', `${callback}/invalid`)
    authorization.url.searchParams.set('request', request)
    const page = await rp.walk(authorization.url)
    // It redirects to neither URI, because the request object is not parsed.
    assert.deepEqual([page.url.origin, page.status], [stage.issuer, 400])
  })
})
