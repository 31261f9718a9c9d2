import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { InvalidParams } from '../../sdk/index.ts'
import { createLog } from '../../src/log/log.ts'
import { Home } from '../../src/contract/home.ts'
import { Routes } from '../../src/routes/routes.ts'
import { openDatabase } from '../../src/storage/open_database.ts'
import { startTestDaemon } from '../support/daemon.ts'
import { onSqliteFirst } from '../support/databases.ts'
import { ask } from '../support/http.ts'
import { startUpstream } from '../support/upstream.ts'

const target = 'http://127.0.0.1:3000'
const mode = { target, auth_mode: 'none' } as const
const free = () => false
const refusedFor = (path: string) => (error: unknown) => {
  assert.ok(error instanceof InvalidParams, String(error))
  assert.equal(error.data?.path, path)
  return true
}

describe('the host of the public URL', () => {
  test('takes a route only with shares_home', async () => {
    await using daemon = await startTestDaemon({ public_url: 'https://id.example.org:8443' })
    const { routes } = daemon.hero.proxy
    const domain = 'ID.example.org'
    await assert.rejects(routes.add({ ...mode, domain }), refusedFor('domain'))
    await assert.rejects(routes.add({ ...mode, domain, path_prefix: '/app' }), refusedFor('domain'))
    const other = await routes.add({ ...mode, domain: 'app.example.org' })
    await assert.rejects(routes.update({ id: other.id, domain }), refusedFor('domain'))
    const { id, shares_home } = await routes.add({ ...mode, domain, path_prefix: '/app', shares_home: true })
    assert.equal(shares_home, true)
    assert.equal((await routes.list({ domain })).items[0]?.shares_home, true)
    await assert.rejects(routes.update({ id, shares_home: false }), refusedFor('domain'))
    await assert.rejects(routes.update({ id, origin: 'https://id.example.org' }), refusedFor('origin'))
    await routes.update({ id, origin: 'https://id.example.org:8443' })
    await routes.update({ id: other.id, domain, path_prefix: '/other', shares_home: true })
  })

  test('is never served by a wildcard', async () => {
    await using daemon = await startTestDaemon({ public_url: 'https://id.example.org' })
    await using upstream = await startUpstream()
    const at = { target: upstream.target, auth_mode: 'none' } as const
    const { routes } = daemon.hero.proxy
    await routes.add({ ...at, domain: '*.example.org' })
    await routes.add({ ...at, domain: '*.example.org', path_prefix: '/deep' })
    const statusAt = async (host: string, path: string) => (await ask(daemon, host, path)).status
    for (const path of ['/x', '/deep', '/deep/x']) {
      assert.equal(await statusAt('app.example.org', path), 200, path)
      for (const host of ['id.example.org', 'ID.Example.org', 'id.example.org.', 'id.example.org:443'])
        assert.equal(await statusAt(host, path), 404, host + path)
    }
    await routes.add({ ...at, domain: 'id.example.org', path_prefix: '/app', shares_home: true })
    assert.equal(await statusAt('id.example.org', '/app/x'), 200)
    assert.equal(await statusAt('id.example.org', '/deep/x'), 404)
  })

  test('keeps a route from before, and each start says so', async () => {
    const upstream = await startUpstream()
    const first = await startTestDaemon({ public_url: 'http://old.localhost' })
    const { target } = upstream
    const at = { target, auth_mode: 'none', domain: 'old.localhost', shares_home: true } as const
    const { id } = await first.hero.proxy.routes.add(at)
    await first.hero.proxy.routes.add({ ...at, path_prefix: '/agreed' })
    await first.hero.proxy.routes.add({ ...at, path_prefix: '/off', enabled: false })
    await first.hero.proxy.routes.add({ ...at, domain: 'new.localhost', shares_home: false })
    const database = await openDatabase(first.config.database_url, createLog('silent'))
    await database.query.updateTable('routes').set({ shares_home: 0 }).where('id', '=', id).execute()
    await database.close()
    const daemon = await first.restart()
    const lines = daemon.logged.filter(({ msg }) => String(msg).includes('at the host of the public URL'))
    assert.deepEqual(
      lines.map(({ routes }) => routes),
      [
        [
          { name: 'old-localhost', domain: 'old.localhost', path_prefix: '/', shares_home: false },
          {
            name: 'old-localhost-agreed',
            domain: 'old.localhost',
            path_prefix: '/agreed',
            shares_home: true,
          },
        ],
      ],
    )
    assert.equal((await ask(daemon, 'old.localhost', '/x')).status, 200)
    const { routes } = daemon.hero.proxy
    assert.equal((await routes.update({ id, title: 'Old' })).shares_home, false, 'all else can be changed')
    await assert.rejects(routes.update({ id, origin: 'https://old.localhost' }), refusedFor('domain'))
    await daemon.close()
    await upstream.close()
  })

  test('says nothing at the start without such a route', async () => {
    await using daemon = await startTestDaemon()
    assert.deepEqual(
      daemon.logged.filter(({ msg }) => /these routes/.test(String(msg))),
      [],
    )
  })
})

onSqliteFirst('the hosts of earlier public URLs', (newUrl) => {
  test('take no route and no wildcard', async () => {
    const database = await openDatabase(newUrl(), createLog('silent'))
    try {
      const routes = new Routes(
        database,
        new Home('https://id.example.org', ['https://old.example.org:8443', 'http://door.example.org']),
      )
      const add = (domain: string, more = {}) => routes.add({ ...mode, domain, ...more }, free)
      await add('*.example.org')
      for (const domain of ['old.example.org', 'door.example.org']) {
        await assert.rejects(add(domain), /earlier public URL/)
        await assert.rejects(add(domain, { shares_home: true }), /earlier public URL/)
        assert.equal((await routes.table()).at(domain), undefined, domain)
      }
      assert.equal((await routes.table()).at('id.example.org'), undefined)
      assert.ok((await routes.table()).at('app.example.org'))
      // A route from before stays.
      const before = new Routes(database, new Home('https://new.example.org'))
      await before.add({ ...mode, domain: 'old.example.org' }, free)
      assert.ok((await routes.table()).at('old.example.org'))
    } finally {
      await database.close()
    }
  })

  test('and a route that one of our own paths hides is found', async () => {
    const database = await openDatabase(newUrl(), createLog('silent'))
    try {
      const routes = new Routes(database, new Home('https://id.example.org'))
      await routes.add({ ...mode, domain: 'a.test', path_prefix: '/auth' }, free)
      await routes.add({ ...mode, domain: 'b.test', path_prefix: '/auth', enabled: false }, free)
      await routes.add({ ...mode, domain: 'c.test', path_prefix: '/app' }, free)
      const hidden = await routes.shadowed((_, path) => path === '/auth')
      assert.deepEqual(
        hidden.map(({ domain }) => domain),
        ['a.test'],
      )
    } finally {
      await database.close()
    }
  })
})
