import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { startStage, type Stage } from '../support/edge_stage.ts'
import { ask } from '../support/http.ts'

const relation = 'http://openid.net/specs/connect/1.0/issuer'
const issuer = 'http://localhost:9997'

describe('WebFinger (RFC 7033)', () => {
  let stage: Stage
  before(async () => {
    stage = await startStage({ public_url: issuer })
    const { settings } = stage.daemon.hero
    await settings.set({ key: 'webfinger_domains', value: 'Example.org, xn--bcher-kva.example' })
    await stage.route({ domain: 'example.localhost', auth_mode: 'none', webfinger: true })
    await stage.route({ domain: 'plain.localhost', auth_mode: 'none' })
  })
  after(() => stage.close())

  const find = (resource: string, more = '', host = 'localhost') =>
    ask(stage.daemon, host, `/.well-known/webfinger?resource=${encodeURIComponent(resource)}${more}`)

  test('names the issuer for every address of our domains, with or without an account', async () => {
    const answers = await Promise.all(['ada', 'nobody'].map((name) => find(`acct:${name}@example.org`)))
    for (const [i, { status, headers, body }] of answers.entries()) {
      assert.equal(status, 200)
      assert.equal(headers['content-type'], 'application/jrd+json')
      assert.equal(headers['access-control-allow-origin'], '*')
      assert.equal(headers['cross-origin-resource-policy'], 'cross-origin')
      assert.deepEqual(JSON.parse(body), {
        subject: `acct:${['ada', 'nobody'][i]}@example.org`,
        links: [{ rel: relation, href: issuer }],
      })
    }
    const heads = answers.map(({ headers }) => ({ ...headers, date: '', 'content-length': '' }))
    assert.deepEqual(heads[0], heads[1])
  })

  test('reads addresses in every form that RFC 7565 gives them', async () => {
    for (const resource of [
      'ACCT:ada@EXAMPLE.org',
      'acct:ada%40other.example@example.org',
      "acct:o'neil+x@example.org",
      'acct:ada@b%C3%BCcher.example',
      'acct:ada@xn--bcher-kva.example',
    ])
      assert.equal((await find(resource)).status, 200, resource)
  })

  test('answers the relations that are asked for', async () => {
    const asked = async (...relations: string[]) => {
      const more = relations.map((rel) => `&rel=${encodeURIComponent(rel)}`).join('')
      return (JSON.parse((await find('acct:ada@example.org', more)).body) as { links: unknown[] }).links
        .length
    }
    assert.equal(await asked(relation), 1)
    assert.equal(await asked('http://webfinger.net/rel/avatar'), 0)
    assert.equal(await asked('http://webfinger.net/rel/avatar', relation), 1)
  })

  test('knows no other domain, and says what a malformed question lacks; scripts may read that too', async () => {
    for (const resource of [
      'acct:ada@example.com',
      'acct:ada@sub.example.org',
      'acct:ada@example.org.evil.example',
      'https://example.org/ada',
      'mailto:ada@example.org',
    ]) {
      const { status, headers } = await find(resource)
      assert.deepEqual([status, headers['access-control-allow-origin']], [404, '*'], resource)
    }
    for (const resource of [
      '',
      'ada@example.org',
      'acct:',
      'acct:@example.org',
      'acct:ada',
      'acct:a b@example.org',
      'acct:ada@%zz',
      'acct:ada@%ff.example',
    ])
      assert.equal((await find(resource)).status, 400, resource)
    assert.equal((await ask(stage.daemon, 'localhost', '/.well-known/webfinger')).status, 400)
    const twice = await find('acct:ada@example.org', '&resource=acct:ada@example.org')
    assert.deepEqual([twice.status, twice.headers['access-control-allow-origin']], [400, '*'])
  })

  test('answers at the host of a route only where the route says so; others keep the path', async () => {
    const ours = await find('acct:ada@example.org', '', 'example.localhost')
    assert.deepEqual((JSON.parse(ours.body) as { links: unknown }).links, [{ rel: relation, href: issuer }])
    const theirs = await find('acct:ada@example.org', '', 'plain.localhost')
    assert.match((JSON.parse(theirs.body) as { url: string }).url, /^\/\.well-known\/webfinger\?/)
  })

  test('has no domain of its own before an administrator names one', async () => {
    await stage.daemon.hero.settings.set({ key: 'webfinger_domains', value: '' })
    for (const resource of ['acct:ada@localhost', 'acct:ada@example.org'])
      assert.equal((await find(resource)).status, 404)
  })
})
