import assert from 'node:assert/strict'
import { request } from 'node:http'
import { after, before, describe, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { goodPassword } from '../../support/daemon.ts'
import { ask } from '../../support/http.ts'
import { startUpstream, valuesOf } from '../../support/upstream.ts'
import { got, startStage, type Stage } from '../../support/edge_stage.ts'

describe('response_timeout limits only the wait for the response head', () => {
  let stage: Stage
  before(async () => {
    stage = await startStage()
  })
  after(() => stage.close())

  test('a stream may pause for longer', async () => {
    await using upstream = await startUpstream((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write('data: one\n\n')
      setTimeout(() => response.end('data: two\n\n'), 1600)
    })
    await stage.route({
      domain: 'pause.localhost',
      target: upstream.target,
      auth_mode: 'none',
      response_timeout: 1,
    })
    const { status, body } = await ask(stage.daemon, 'pause.localhost', '/')
    assert.deepEqual({ status, body }, { status: 200, body: 'data: one\n\ndata: two\n\n' })
  })

  test('a client may take longer to send its body', async () => {
    await using upstream = await startUpstream((incoming, response) => {
      let length = 0
      incoming.on('data', (chunk: Buffer) => (length += chunk.length))
      incoming.on('end', () => response.end(String(length)))
    })
    await stage.route({
      domain: 'slow.localhost',
      target: upstream.target,
      auth_mode: 'none',
      response_timeout: 1,
    })
    const headers = { host: 'slow.localhost', 'content-length': 10 }
    const sent = request({ port: stage.daemon.edge.port, method: 'POST', headers })
    const answered = new Promise<string>((resolve, reject) => {
      sent.on('error', reject)
      sent.on('response', (response) => {
        response.setEncoding('utf8').once('data', resolve)
      })
    })
    sent.write('12345')
    await wait(1600)
    sent.end('67890')
    assert.equal(await answered, '10')
  })
})

test('an access token is never forwarded in any mode, while other credentials are', async () => {
  await using stage = await startStage()
  const { access_token } = await stage.daemon.hero.auth.login({ login: 'ada', password: goodPassword })
  for (const auth_mode of ['none', 'optional', 'local'] as const) {
    await stage.route({ domain: `${auth_mode}.localhost`, auth_mode })
    const through = async (authorization: string) => {
      const headers = ['Authorization', authorization, 'Cookie', stage.ada]
      return valuesOf(
        got(await ask(stage.daemon, `${auth_mode}.localhost`, '/', { headers })).rawHeaders,
        'authorization',
      )
    }
    assert.deepEqual(await through(`Bearer ${access_token}`), [], auth_mode)
    assert.deepEqual(await through('Basic YTpi'), ['Basic YTpi'], auth_mode)
    assert.deepEqual(await through('Bearer of-the-application'), ['Bearer of-the-application'], auth_mode)
  }
})
