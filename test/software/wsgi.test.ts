import assert from 'node:assert/strict'
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { after, before, describe, test } from 'node:test'
import { ask } from '../support/http.ts'
import { startStage, type Stage } from '../support/edge_stage.ts'

/** Returns every variable from which a WSGI application would read a header. */
const program = `
import json, sys
from wsgiref.simple_server import make_server, WSGIRequestHandler
class Quiet(WSGIRequestHandler):
    def log_message(self, *args): pass
def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'application/json')])
    names = [k for k in environ if k.startswith('HTTP_') or k in ('REMOTE_USER', 'CONTENT_LENGTH')]
    return [json.dumps({k: environ[k] for k in names}).encode()]
server = make_server('127.0.0.1', 0, application, handler_class=Quiet)
print(server.server_port, flush=True)
server.serve_forever()
`
const missing =
  spawnSync('python3', ['-c', 'import wsgiref']).status === 0 ? undefined : 'python3 is not installed'

describe('an upstream that folds header names: Python wsgiref (D02)', { skip: missing ?? false }, () => {
  let stage: Stage
  let python: ChildProcess

  before(async () => {
    stage = await startStage()
    python = spawn('python3', ['-c', program], { stdio: ['ignore', 'pipe', 'inherit'] })
    const [line] = (await once(python.stdout!, 'data')) as [Buffer]
    const target = `http://127.0.0.1:${Number(String(line))}`
    for (const auth_mode of ['none', 'optional', 'local'] as const) {
      await stage.route({ domain: `${auth_mode}.localhost`, auth_mode, target })
    }
  })
  after(async () => {
    python?.kill()
    await stage.close()
  })

  const spoofed = [
    'X-Hero-User',
    'X_Hero_User',
    'X-Hero_User',
    'x_hero-user',
    'X_HERO_USER',
    'X.Hero.User',
    'X-Hero-Claims',
    'x_hero-claims',
    'X_Hero_Context',
    'X_Hero_Impersonator',
    'X_Hero_Anything',
    'X_Proxy_User_Email',
    'X_Proxy_Auth_Method',
    'X_Forwarded_For',
    'X_Forwarded_Proto',
    'X_Forwarded_Host',
    'X_Forwarded_Prefix',
    'X_Real_IP',
    'X_Request_Id',
    'Proxy',
    'Content_Length',
  ].flatMap((name) => [name, 'forged'])

  const environment = async (host: string, cookie: string[]) => {
    const answer = await ask(stage.daemon, host, '/', { headers: [...cookie, ...spoofed] })
    assert.equal(answer.status, 200)
    assert.ok(!answer.body.includes('forged'), answer.body)
    return JSON.parse(answer.body) as Record<string, string>
  }

  for (const host of ['none.localhost', 'optional.localhost']) {
    test(`${host}: a guest has no identity headers`, async () => {
      const environ = await environment(host, [])
      assert.deepEqual(
        Object.keys(environ).filter((name) => name.startsWith('HTTP_X_HERO')),
        [],
      )
      assert.equal(environ.HTTP_X_PROXY_AUTH_METHOD, 'none')
    })
  }
  for (const host of ['optional.localhost', 'local.localhost']) {
    test(`${host}: a signed-in user has the proxy's values only`, async () => {
      const environ = await environment(host, ['Cookie', stage.ada])
      assert.equal(environ.HTTP_X_HERO_USER, 'ada')
      assert.equal(environ.HTTP_X_HERO_CLAIMS, 'app.use,groups.team,users.ada')
      assert.equal(environ.HTTP_X_HERO_CONTEXT, '1')
      assert.equal(environ.HTTP_X_HERO_IMPERSONATOR, undefined)
      assert.equal(environ.HTTP_X_PROXY_AUTH_METHOD, 'local')
      assert.equal(environ.HTTP_COOKIE, undefined)
    })
  }
})
