import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, describe, test } from 'node:test'
import { goodPassword, startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { command, environment, kill } from '../support/daemon_process.ts'
import { callLine, type Reply } from './speak.ts'
import { letEverybodyIn, nobody, strangerAt, strangerMissing, strangerSpeaks } from './stranger.ts'

interface Document {
  readonly methods: readonly { readonly name: string; readonly 'x-required-claim': unknown }[]
}

const line = (method: string, params: object = {}, more: object = {}) =>
  `${JSON.stringify({ jsonrpc: '2.0', id: method, method, params, ...more })}\n`
const replies = (text: string) =>
  text
    .split('\n')
    .filter((one) => one !== '')
    .map((one) => JSON.parse(one) as Reply)

describe('another local user', { skip: strangerMissing() ?? false }, () => {
  let daemon: TestDaemon
  let token: string
  before(async () => {
    daemon = await startTestDaemon()
    chmodSync(daemon.dir, 0o755)
    await daemon.hero.users.add({ username: 'ada', email: 'ada@example.org', password: goodPassword })
    token = (await daemon.hero.auth.login({ login: 'ada', password: goodPassword })).access_token
  })
  after(() => daemon.close())

  test('the modes of the folder and the socket refuse access', async () => {
    const tried = spawn(
      process.execPath,
      ['-e', 'require("net").connect(process.argv[1])', daemon.socketPath],
      {
        ...nobody,
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    )
    let errors = ''
    tried.stderr.on('data', (text) => (errors += text))
    await once(tried, 'close')
    assert.match(errors, /EACCES/)
  })

  test('with access, another user can call the public methods alone', async () => {
    letEverybodyIn(daemon.socketPath, daemon.dir)
    const { methods } = (await daemon.hero.call('rpc.discover')) as unknown as Document
    const answers = replies(
      await strangerSpeaks(daemon.socketPath, methods.map(({ name }) => line(name)).join('')),
    )
    assert.equal(answers.length, methods.length)
    for (const { name, 'x-required-claim': rule } of methods) {
      const { error } = answers.find(({ id }) => id === name)!
      // A public method that needs a secret: without one, the client is unauthenticated.
      const codes = name === 'token.create' ? ['unauthenticated'] : [undefined, 'invalid_params']
      if (rule === null) assert.ok(codes.includes(error?.data.code), name)
      else assert.equal(error?.data.code, 'unauthenticated', name)
    }
  })

  test('the same applies over HTTP', async () => {
    const body = line('users.list').trim()
    const head = `POST /rpc HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: ${body.length}`
    assert.match(await strangerSpeaks(daemon.socketPath, `${head}\r\n\r\n${body}`), /"unauthenticated"/)
    const known = `${head}\r\nAuthorization: Bearer ${token}\r\n\r\n${body}`
    assert.match(await strangerSpeaks(daemon.socketPath, known), /"claim_required"/)
  })

  test('a token identifies its person, and an invalid one is refused', async () => {
    const answers = replies(
      await strangerSpeaks(
        daemon.socketPath,
        line('auth.me', {}, { authorization: `Bearer ${token}` }) +
          line('health', {}, { authorization: `Bearer ${token}x` }) +
          line('auth.login', { login: 'ada', password: goodPassword }),
      ),
    )
    const of = (id: string) => answers.find((answer) => answer.id === id)!
    assert.match(JSON.stringify(of('auth.me').result), /"ada"/)
    assert.equal(of('health').error?.data.code, 'unauthenticated')
    assert.ok((of('auth.login').result as { access_token: string }).access_token)
  })

  test('socket_trust=file_mode makes another user the operator, under that uid, until it is reset', async () => {
    const child = strangerAt(daemon.socketPath)
    const answers = createInterface({ input: child.stdout! })[Symbol.asyncIterator]()
    const ask = async (method: string, params: object = {}) => {
      child.stdin!.write(line(method, params))
      return JSON.parse((await answers.next()).value as string) as Reply
    }
    assert.equal((await ask('users.list')).error?.data.code, 'unauthenticated')
    await daemon.hero.settings.set({ key: 'socket_trust', value: 'file_mode' })
    assert.ok((await ask('users.list')).result)
    assert.ok((await ask('groups.add', { slug: 'strangers' })).result)
    const [entry] = (await daemon.hero.audit.list({ method: 'groups.add', limit: 1 })).items
    assert.equal(entry?.caller, 'operator')
    assert.equal(entry.uid, nobody.uid)
    assert.equal(entry.pid, child.pid)
    // The connection stays open, but loses its rights.
    await daemon.hero.settings.set({ key: 'socket_trust', value: 'kernel' })
    assert.equal((await ask('users.list')).error?.data.code, 'unauthenticated')
    child.stdin!.end()
    await once(child, 'close')
  })

  test('a daemon that another user runs accepts that user and root as operators', async (t) => {
    const readable = spawnSync(process.execPath, [command, '--version'], { ...nobody, encoding: 'utf8' })
    if (readable.status !== 0) return t.skip('the user nobody cannot read this checkout')
    const dir = mkdtempSync(join(tmpdir(), 'hp-own-'))
    chownSync(dir, nobody.uid, nobody.gid)
    const child = spawn(process.execPath, [command, 'serve'], {
      ...nobody,
      env: environment(dir),
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    try {
      await once(child.stdout, 'data')
      const socket = join(dir, 's', 'hero_proxy', 'rpc.sock')
      assert.ok(replies(await strangerSpeaks(socket, line('stats')))[0]?.result)
      assert.ok((await callLine(socket, 'stats')).result)
    } finally {
      await kill(child, 'SIGTERM')
      rmSync(dir, { recursive: true, force: true })
    }
  })
})
