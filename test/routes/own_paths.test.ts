import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { InvalidParams } from '../../sdk/index.ts'
import { createLog } from '../../src/log/log.ts'
import { Home } from '../../src/contract/home.ts'
import { Routes } from '../../src/routes/routes.ts'
import { openDatabase } from '../../src/storage/open_database.ts'
import { startTestDaemon } from '../support/daemon.ts'
import { onSqliteFirst } from '../support/databases.ts'

describe('a route whose prefix lies within the own paths', () => {
  const target = 'http://127.0.0.1:3000'
  const mode = { target, auth_mode: 'none' } as const
  const covered = [
    '/auth',
    '/auth/login',
    '/auth/x/y',
    '/auth/forward',
    '/oauth/callback',
    '/oauth/callback/x',
    '/admin',
    '/admin/x',
    '/mcp',
    '/mcp/x',
    '/.well-known/x',
    '/.well-known/jwks.json',
  ]
  const below = [
    '/.hero_proxy',
    '/.hero_proxy/sign_in',
    '/.hero_proxy/x/y',
    '/.Hero_Proxy/x',
    '/auth/forward',
  ]
  const free = [
    '/',
    '/Auth',
    '/authx',
    '/login',
    '/rpc',
    '/health',
    '/openrpc.json',
    '/metrics',
    '/token',
    '/oauth',
    '/authorize',
    '/device',
    '/register',
    '/.well-known',
  ]

  test('is refused at home when it is added; at other hosts only what lies below /.hero_proxy', async () => {
    await using daemon = await startTestDaemon({ public_url: 'http://localhost:9997' })
    const { routes } = daemon.hero.proxy
    for (const domain of ['app.localhost', '*.localhost', 'localhost']) {
      const isHome = domain === 'localhost'
      for (const path_prefix of isHome ? covered : below)
        await assert.rejects(routes.add({ ...mode, domain, path_prefix }), (error) => {
          assert.ok(error instanceof InvalidParams, `${domain}${path_prefix}`)
          assert.equal(error.data?.path, 'path_prefix')
          return true
        })
      for (const path_prefix of isHome
        ? free
        : [...free.filter((path) => path !== '/Auth'), ...covered.filter((path) => path !== '/auth/forward')])
        await routes.add({ ...mode, domain, path_prefix, shares_home: isHome })
    }
    const { id } = await routes.add({ ...mode, domain: 'other.localhost', path_prefix: '/x' })
    await assert.rejects(routes.update({ id, path_prefix: '/.hero_proxy/x' }), InvalidParams)
    await routes.update({ id, path_prefix: '/administration' })
  })

  onSqliteFirst('that exists already', (newUrl) => {
    test('can be changed, disabled and removed, but not moved to another own path', async () => {
      const database = await openDatabase(newUrl(), createLog('silent'))
      try {
        const routes = new Routes(database, new Home('http://localhost:9997'))
        const { id } = await routes.add(
          { ...mode, domain: 'app.localhost', path_prefix: '/auth' },
          () => false,
        )
        const all = () => true
        assert.equal((await routes.update(id, { enabled: false }, all)).enabled, false)
        await assert.rejects(routes.update(id, { path_prefix: '/auth/x' }, all), /path_prefix/)
        await assert.rejects(routes.update(id, { domain: 'b.localhost' }, all), /path_prefix/)
        await routes.remove(id)
      } finally {
        await database.close()
      }
    })
  })
})
