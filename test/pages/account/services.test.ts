import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { goodPassword } from '../../support/daemon.ts'
import { openForm, postForm, startStage, type Stage } from '../../support/edge_stage.ts'
import { ask } from '../../support/http.ts'
import { byHand } from '../../support/people.ts'
import { refused } from '../../support/refused.ts'

const html = ['Accept', 'text/html']

describe('my services', () => {
  let stage: Stage
  before(async () => {
    stage = await startStage()
    const { groups } = stage.daemon.hero
    await groups.add_claim({ group: 'team', claim: 'vault.open', service: 'vault' })
    const route = (name: string, more: Partial<Parameters<Stage['route']>[0]> = {}) =>
      stage.route({ domain: `${name}.localhost`, auth_mode: 'local', title: name, ...more })
    await route('team', { required_claims: ['app.use'] })
    await route('vault', { required_claims: ['vault.open'], service: 'vault' })
    await route('elsewhere', { required_claims: ['vault.open'], service: 'other' })
    await route('everyone', { auth_mode: 'none' })
    await route('everybody', { required_claims: ['users.*'] })
    await route('adas', { allowed_emails: ['ada@example.org'] })
    await route('bobs', { auth_mode: 'optional', allowed_emails: ['bob@example.org'] })
    await route('provider', { auth_mode: 'oauth', required_claims: ['app.use'] })
    await route('off', { enabled: false })
    await route('hidden', { listed: false })
    await route('tokens', { auth_mode: 'bearer' })
    await route('keys', { auth_mode: 'signature' })
    await stage.daemon.hero.proxy.routes.add({
      domain: '*.wild.localhost',
      target: stage.upstream.target,
      auth_mode: 'none',
    })
    await route('far', { auth_mode: 'none', origin: 'https://far.localhost:8443', path_prefix: '/wiki' })
    await stage.route({ domain: 'plain.localhost', path_prefix: '/app', auth_mode: 'none' })
  })
  after(() => stage.close())

  const page = (cookie: string, path = '/auth/services') =>
    ask(stage.daemon, 'localhost:9997', path, { headers: [...html, 'Cookie', cookie] })
  const titles = ({ body }: { body: string }) =>
    [...body.matchAll(/<a href="http[^"]*">.*?<strong>([^<]*)<\/strong>/gs)].map(([, title]) => title)
  const open = ['enter-localhost', 'everyone', 'far', 'plain-localhost-app']

  test('are the listed routes whose rules let the person in, each once', async () => {
    const both = ['everybody', ...open]
    assert.deepEqual(titles(await page(stage.ada)), ['adas', 'provider', 'team', 'vault', ...both].toSorted())
    assert.deepEqual(titles(await page(stage.bob)), ['bobs', ...both].toSorted())
  })

  test('follow a change of the rules at once', async () => {
    const { hero } = stage.daemon
    await hero.groups.add_member({ group: 'team', user: 'bob' })
    assert.ok(titles(await page(stage.bob)).includes('vault'))
    await hero.groups.remove_member({ group: 'team', user: 'bob' })
    assert.ok(!titles(await page(stage.bob)).includes('vault'))
  })

  test('lead to the origin of the route and its path', async () => {
    const { body } = await page(stage.ada)
    for (const address of [
      'http://team.localhost:9997/',
      'https://far.localhost:8443/wiki',
      'http://plain.localhost:9997/app',
    ])
      assert.ok(body.includes(`<a href="${address}">`), address)
  })

  test('are what home shows at /, unless an enabled route has that path', async () => {
    const { proxy } = stage.daemon.hero
    assert.deepEqual(titles(await page(stage.ada, '/')), titles(await page(stage.ada)))
    const { id } = await stage.route({
      domain: 'localhost',
      auth_mode: 'none',
      shares_home: true,
      listed: false,
    })
    const answered = async (path: string) => {
      const { length } = stage.upstream.seen
      const { status } = await page(stage.ada, path)
      return [status, stage.upstream.seen.length > length ? 'service' : 'ours']
    }
    assert.deepEqual(await answered('/'), [200, 'service'])
    assert.deepEqual(await answered('/auth/services'), [200, 'ours'])
    await proxy.routes.update({ id, enabled: false })
    assert.deepEqual(await answered('/'), [200, 'ours'])
    await proxy.routes.remove({ id })
  })

  test('include applications with a start address, while they are active', async () => {
    const { clients, settings } = stage.daemon.hero
    const start_url = 'https://tickets.example.org/start?from=home&to=<b>'
    const wrong = ['javascript:alert(1)', 'https://', 'https://ada@tickets.example.org/', '/tickets', '']
    const application = {
      name: 'A <b>ticket</b> app',
      redirect_uris: ['https://tickets.example.org/callback'],
    }
    for (const value of wrong)
      await refused(
        clients.add({ anyone: true, ...application, start_url: value }),
        'invalid_params',
        'start_url',
      )
    const { client } = await clients.add({
      anyone: true,
      ...application,
      client: 'tickets',
      start_url: start_url.replace('<b>', 'b'),
    })
    await clients.add({ anyone: true, ...application, client: 'silent', name: 'Silent' })
    for (const person of [stage.ada, stage.bob]) {
      const { body } = await page(person)
      assert.match(body, /<a href="https:\/\/tickets\.example\.org\/start\?from=home&amp;to=b">/)
      assert.match(body, /A &lt;b&gt;ticket&lt;\/b&gt; app/)
      assert.ok(!body.includes('Silent'))
    }
    await clients.update({ client, is_active: false })
    assert.ok(!(await page(stage.ada)).body.includes('tickets.example.org'))
    await clients.update({ client, is_active: true, start_url: null })
    assert.ok(!(await page(stage.ada)).body.includes('tickets.example.org'))
    // An application that registered itself counts only while those are accepted.
    await clients.update({ client, start_url: 'https://tickets.example.org/' })
    await byHand(stage.daemon, (database) => {
      database.changed('clients')
      return database.query.updateTable('clients').set({ dynamic: 1 }).where('client', '=', client).execute()
    })
    assert.ok(!(await page(stage.ada)).body.includes('tickets.example.org'))
    await settings.set({ key: 'client_registration', value: 'open' })
    assert.ok((await page(stage.ada)).body.includes('tickets.example.org'))
    await clients.remove({ client })
  })

  test('are where a sign-in leads that was asked for no other page', async () => {
    const enter = async (fields: Record<string, string> = {}) => {
      const form = await openForm(stage.daemon, 'localhost')
      const params = { form_token: form.token, login: 'ada', password: goodPassword, ...fields }
      const { headers } = await postForm(stage.daemon, 'localhost', '/auth/login', params, [
        'Cookie',
        form.cookie,
      ])
      return headers.location
    }
    assert.equal(await enter(), '/')
    assert.equal(await enter({ return_to: '//evil.test' }), '/')
    assert.equal(await enter({ return_to: '/auth/me' }), '/auth/me')
    const { id } = await stage.route({
      domain: 'localhost',
      auth_mode: 'none',
      shares_home: true,
      listed: false,
    })
    assert.equal(await enter(), '/auth/services')
    assert.equal(await enter({ return_to: '/' }), '/')
    await stage.daemon.hero.proxy.routes.update({ id, enabled: false })
    assert.equal(await enter(), '/')
    await stage.daemon.hero.proxy.routes.remove({ id })
  })

  test('ask guests to sign in, and programs get JSON', async () => {
    for (const path of ['/', '/auth/services']) {
      const guest = await ask(stage.daemon, 'localhost', path, { headers: html })
      assert.deepEqual([guest.status, guest.headers.location], [302, `/auth/login?return_to=${path}`])
      assert.equal((await ask(stage.daemon, 'localhost', path)).status, 401)
      const program = await ask(stage.daemon, 'localhost', path, { headers: ['Cookie', stage.bob] })
      const { services } = JSON.parse(program.body) as { services: { title: string }[] }
      assert.ok(services.some(({ title }) => title === 'bobs'))
    }
  })

  test('say who gives access here if there are none', async () => {
    await using empty = await startStage()
    const { hero } = empty.daemon
    const { items } = await hero.proxy.routes.list()
    for (const { id } of items) await hero.proxy.routes.remove({ id })
    const body = async () =>
      (await ask(empty.daemon, 'localhost', '/', { headers: [...html, 'Cookie', empty.ada] })).body
    assert.match(await body(), /The people who run this site give access/)
    await hero.settings.set({ key: 'help_text', value: 'Ask "Lin" & co. in room 7' })
    assert.match(await body(), /<p>Ask &quot;Lin&quot; &amp; co\. in room 7<\/p>/)
  })
})
