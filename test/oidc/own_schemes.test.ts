import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { App, pkce, startProvider, type Provider } from '../support/openid_stage.ts'

suite('native clients with a private-use URI scheme (RFC 8252 section 7.1)', () => {
  let stage: Provider
  let app: App
  const redirect_uri = 'org.example.app:/callback'
  before(async () => {
    stage = await startProvider()
    const native = { anyone: true, name: 'App', public: true, native: true, redirect_uris: [redirect_uri] }
    app = new App(stage.issuer, await stage.daemon.hero.clients.add(native))
  })
  after(() => stage.daemon.close())

  test('a page with an opaque or foreign origin cannot read token responses', async () => {
    const ask = (origin: string) =>
      fetch(`${stage.issuer}/token`, {
        method: 'POST',
        headers: { origin },
        body: new URLSearchParams({
          client_id: app.client.client,
          grant_type: 'refresh_token',
          refresh_token: 'x',
        }),
      })
    for (const origin of ['null', 'https://page.test']) {
      const answer = await ask(origin)
      assert.equal(answer.status, 400)
      assert.match(await answer.text(), /origin .* not allowed/, origin)
    }
  })

  test('the form_post page allows its form to target the scheme', async () => {
    const { challenge } = pkce()
    const params = { ...challenge, redirect_uri, prompt: 'none', response_mode: 'form_post', scope: 'openid' }
    const answer = await fetch(app.authorizeUrl(params), {
      headers: { accept: 'text/html' },
      redirect: 'manual',
    })
    assert.match(await answer.text(), /action="org\.example\.app:\/callback"/)
    assert.doesNotMatch(answer.headers.get('content-security-policy')!, /form-action/)
  })
})
