import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { onBothDatabases } from '../support/databases.ts'
import { App, callback, newPerson, payloadOf, startProvider, type Provider } from '../support/openid_stage.ts'

onBothDatabases('a person who loses access to an application', (newUrl) => {
  let stage: Provider
  let hook: Server
  const received: string[] = []
  before(async () => {
    stage = await startProvider({ database_url: newUrl() })
    hook = createServer((request, response) => {
      let body = ''
      request.on('data', (part: Buffer) => (body += part.toString()))
      request.on('end', () => {
        received.push(new URLSearchParams(body).get('logout_token') ?? '')
        response.end()
      })
    })
    await new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', resolve))
  })
  after(async () => {
    hook.close()
    await stage.daemon.close()
  })

  test('is signed out of it by back channel, once, and stays signed in elsewhere', async () => {
    const { hero } = stage.daemon
    await hero.groups.add({ slug: 'staff' })
    await hero.groups.add_member({ group: 'staff', user: 'grace' })
    const { port } = hook.address() as AddressInfo
    const add = async (client: string, required_claims: string[]) =>
      new App(
        stage.issuer,
        await hero.clients.add({
          name: client,
          client,
          first_party: true,
          redirect_uris: [callback],
          backchannel_logout_uri: `http://127.0.0.1:${port}/${client}`,
          ...(required_claims.length > 0 ? { required_claims } : { anyone: true }),
        }),
      )
    const strict = await add('strict', ['groups.staff'])
    const open = await add('open', [])
    const grace = newPerson()
    const { body } = await strict.tokens(grace, 'grace')
    const { body: other } = await open.tokens(grace, 'grace')
    await strict.tokens(newPerson(), 'ada').catch(() => {})
    await hero.groups.remove_member({ group: 'staff', user: 'grace' })
    for (let i = 0; i < 300 && received.length === 0; i++) await delay(100)
    const { sub, sid, aud } = payloadOf(received[0]!)
    const { sub: subject, sid: session } = payloadOf(body.id_token)
    assert.deepEqual([sub, sid, aud], [subject, session, 'strict'], 'no notice within 30 s')
    await hero.groups.add_member({ group: 'staff', user: 'grace' })
    assert.equal((await strict.userinfo(body.access_token)).status, 401, 'the grant has ended')
    assert.equal((await open.userinfo(other.access_token)).status, 200)
    await delay(500)
    assert.equal(received.length, 1)
  })
})
