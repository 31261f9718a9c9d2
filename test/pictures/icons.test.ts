import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { deflateSync } from 'node:zlib'
import { pngChunk, pngSignature } from '../../src/pictures/png.ts'
import { onSqliteFirst } from '../support/databases.ts'
import { goodPassword, startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { icons as drawings } from '../../src/routes/icons.ts'
import { ask, signIn } from '../support/http.ts'
import { byHand, person } from '../support/people.ts'
import { refused } from '../support/refused.ts'

const home = 'localhost:9997'

const png = (side: number, more: Buffer[] = []): string => {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(side, 0)
  header.writeUInt32BE(side, 4)
  header.set([1, 0], 8)
  const data = pngChunk('IDAT', deflateSync(Buffer.alloc(side * (1 + Math.ceil(side / 8)))))
  const parts = [pngChunk('IHDR', header), ...more, data, pngChunk('IEND', Buffer.alloc(0))]
  return Buffer.concat([pngSignature, ...parts]).toString('base64')
}

onSqliteFirst('uploaded icons', (newUrl) => {
  let daemon: TestDaemon
  before(async () => {
    daemon = await startTestDaemon({ database_url: newUrl(), public_url: `http://${home}` })
    await person(daemon, 'ada')
  })
  after(() => daemon.close())

  test('are pictures, written anew, and there once each', async () => {
    const { icons } = daemon.hero
    const text = pngChunk('tEXt', Buffer.from('<script>'))
    const first = await icons.add({ picture: png(64) })
    assert.deepEqual((await icons.add({ picture: png(64, [text]) })).icon, first.icon)
    assert.deepEqual(
      (await icons.list()).items.map(({ icon }) => icon),
      [first.icon],
    )
    const wrong = [
      png(513),
      Buffer.alloc(129 * 1024).toString('base64'),
      Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>').toString('base64'),
      Buffer.from('https://evil.example/a.png').toString('base64'),
    ]
    for (const picture of wrong) await refused(icons.add({ picture }), 'invalid_params', 'picture')
    await refused(icons.remove({ icon: `picture:${'0'.repeat(32)}` }), 'not_found')
  })

  test('stand for services and applications among those that a person may open, as long as these show them', async () => {
    const { icons, clients, proxy } = daemon.hero
    const { icon } = await icons.add({ picture: png(32) })
    const route = await proxy.routes.add({
      domain: 'wiki.localhost',
      target: 'http://127.0.0.1:9',
      auth_mode: 'local',
      icon,
    })
    const { client } = await clients.add({
      name: 'Notes',
      anyone: true,
      redirect_uris: ['https://notes.test/cb'],
      start_url: 'https://notes.test/',
      icon,
    })
    assert.equal((await clients.get({ client })).icon, icon)
    for (const other of ['https://evil.example/a.png', 'picture:../../x', '/auth/pictures/x'])
      await refused(proxy.routes.update({ id: route.id, icon: other }), 'invalid_params', 'icon')
    await refused(clients.update({ client, icon: 'book' }), 'invalid_params', 'icon')
    const cookie = await signIn(daemon, 'localhost', 'ada', goodPassword)
    const page = await ask(daemon, home, '/auth/services', {
      headers: ['Accept', 'text/html', 'Cookie', cookie],
    })
    const path = `/auth/icons/${icon.slice('picture:'.length)}`
    assert.equal(page.body.split(`src="${path}"`).length, 3)
    const { status, headers } = await ask(daemon, home, path)
    assert.deepEqual([status, headers['content-type']], [200, 'image/png'])
    assert.equal(headers['content-security-policy'], "default-src 'none'; sandbox")
    assert.match(headers['cache-control']!, /immutable/)
    await refused(icons.remove({ icon }), 'conflict')
    await proxy.routes.update({ id: route.id, icon: 'book' })
    await refused(icons.remove({ icon }), 'conflict')
    await clients.update({ client, icon: null })
    await icons.remove({ icon })
    assert.equal((await ask(daemon, home, path)).status, 404)
  })

  test('that are not there leave the placeholder to services and applications', async () => {
    const { clients, proxy } = daemon.hero
    const gone = `picture:${'0'.repeat(32)}`
    const about = { target: 'http://127.0.0.1:9', auth_mode: 'local' } as const
    await proxy.routes.add({ ...about, domain: 'gone.localhost', title: 'Gone', icon: gone })
    const odd = await proxy.routes.add({ ...about, domain: 'odd.localhost', title: 'Odd', icon: 'book' })
    await clients.add({
      name: 'Lost',
      anyone: true,
      redirect_uris: ['https://lost.test/cb'],
      start_url: 'https://lost.test/',
      icon: gone,
    })
    // A name that another version knows.
    await byHand(daemon, async (database) => {
      await database.query.updateTable('routes').set({ icon: 'toString' }).where('id', '=', odd.id).execute()
      database.changed('routes')
    })
    const cookie = await signIn(daemon, 'localhost', 'ada', goodPassword)
    const get = (accept: string) =>
      ask(daemon, home, '/auth/services', { headers: ['Accept', accept, 'Cookie', cookie] })
    const { body } = await get('text/html')
    assert.ok(!body.includes('<img'), body)
    for (const title of ['Gone', 'Odd', 'Lost']) {
      const item = body.split('<li>').find((part) => part.includes(`<strong>${title}</strong>`))
      assert.ok(item?.includes(`<path d="${drawings.app}"/>`), title)
    }
    const { services } = JSON.parse((await get('application/json')).body) as {
      services: { title: string; icon: string | null }[]
    }
    assert.equal(services.find(({ title }) => title === 'Gone')!.icon, null)
  })
})
