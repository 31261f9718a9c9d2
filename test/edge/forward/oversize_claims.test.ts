import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { ask, askRaw } from '../../support/http.ts'
import { valuesOf } from '../../support/upstream.ts'
import { got, startStage, type Stage } from '../../support/edge_stage.ts'

describe('claims that do not fit into a header', () => {
  let stage: Stage
  before(async () => {
    stage = await startStage()
    await stage.route({ domain: 'app.localhost', auth_mode: 'local' })
    await stage.route({ domain: 'maybe.localhost', auth_mode: 'optional' })
    await stage.daemon.hero.groups.add({ slug: 'many' })
  })
  after(() => stage.close())

  const claim = (i: number) =>
    `c${String(i).padStart(3, '0')}.${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}`

  test('up to 8 KiB of claims are forwarded complete; more is an error with an audit entry, never a shortened list', async () => {
    const { daemon, ada, upstream } = stage
    await daemon.hero.groups.add_member({ group: 'many', user: 'ada' })
    const own = 'app.use,groups.many,groups.team,users.ada'.length
    let length = own
    let i = 0
    for (; length + claim(i).length + 1 <= 8192; i++, length += claim(i).length + 1) {
      await daemon.hero.groups.add_claim({ group: 'many', claim: claim(i) })
    }
    const whole = await ask(daemon, 'app.localhost', '/', { headers: ['Cookie', ada] })
    assert.equal(whole.status, 200)
    const [text = ''] = valuesOf(got(whole).rawHeaders, 'x-hero-claims')
    assert.equal(text.length, length)
    assert.equal(text.split(',').length, i + 4)

    await daemon.hero.groups.add_claim({ group: 'many', claim: claim(i) })
    const before = upstream.seen.length
    for (const host of ['app.localhost', 'maybe.localhost']) {
      const refused = await ask(daemon, host, '/', { headers: ['Cookie', ada] })
      assert.equal(refused.status, 500)
      assert.equal((JSON.parse(refused.body) as { code: string }).code, 'claims_too_large')
      const page = await ask(daemon, host, '/', { headers: ['Cookie', ada, 'Accept', 'text/html'] })
      assert.equal(page.status, 500)
      assert.match(page.body, /more claims than fit/)
    }
    const upgrade = `GET / HTTP/1.1\r\nHost: app.localhost\r\nCookie: ${ada}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`
    assert.match(await askRaw(daemon, upgrade), /^HTTP\/1\.1 500 /)
    assert.equal(upstream.seen.length, before, 'nothing reached the service')

    const { items } = await daemon.hero.audit.list({ limit: 1000 })
    const rows = items.filter(({ outcome }) => outcome === 'claims_too_large')
    assert.equal(rows.length, 1, 'one entry per minute for a user who keeps trying')
    assert.match(rows[0]!.target, /user=ada/)

    assert.equal((await ask(daemon, 'app.localhost', '/', { headers: ['Cookie', stage.bob] })).status, 200)
    await daemon.hero.groups.remove_claim({ group: 'many', claim: claim(0) })
    assert.equal((await ask(daemon, 'app.localhost', '/', { headers: ['Cookie', ada] })).status, 200)
  })
})
