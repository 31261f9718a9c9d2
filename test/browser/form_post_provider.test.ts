import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { browserMissing, onComplaint, startBrowser } from '../support/browser.ts'
import { startHostileProvider } from '../support/hostile_provider.ts'
import { startRelying } from '../support/provider_stage.ts'

describe(
  'a provider that answers with a form of another site, in Chromium',
  { skip: browserMissing() ?? false },
  () => {
    test('the person is signed in, although the browser sends no cookie of ours with the form', async () => {
      await using stage = await startRelying()
      await using peer = await startHostileProvider()
      // Cookies do not distinguish ports: another host is another site.
      const elsewhere = peer.issuer.replace('localhost', '127.0.0.1')
      peer.misbehave({
        discovery: (metadata) => ({ ...metadata, authorization_endpoint: `${elsewhere}/authorize` }),
        instead: (endpoint, request, response) => {
          if (endpoint !== 'authorize' || request.headers['x-inner'] !== undefined) return false
          void fetch(peer.issuer + request.url!, { redirect: 'manual', headers: { 'x-inner': '1' } }).then(
            (answer) => {
              const { origin, pathname, searchParams } = new URL(answer.headers.get('location')!)
              const fields = [...searchParams].map(
                ([name, value]) => `<input type="hidden" name="${name}" value="${value}">`,
              )
              response.writeHead(200, { 'content-type': 'text/html' }).end(
                `<form method="post" action="${origin}${pathname}">${fields.join('')}</form>
             <script>document.forms[0].submit()</script>`,
              )
            },
          )
          return true
        },
      })
      await stage.hero.providers.add({
        own_callback: true,
        provider: 'apple',
        preset: 'oidc',
        issuer: peer.issuer,
        title: 'Apple',
        client: 'hero',
        client_secret: 's',
        response_mode: 'form_post',
      })
      await stage.hero.users.identities.add({ user: 'grace', provider: 'apple', subject: '1' })
      const browser = await startBrowser()
      try {
        const page = await browser.newPage()
        const complaints: string[] = []
        onComplaint(page, (complaint) => complaints.push(complaint))
        await page.goto(`${stage.origin}/login?provider=apple&next=/auth/me`)
        await page.waitForURL((url) => url.pathname === '/auth/me')
        assert.match(await page.content(), /grace/)
        assert.deepEqual(complaints, [])
      } finally {
        await browser.close()
      }
    })
  },
)
