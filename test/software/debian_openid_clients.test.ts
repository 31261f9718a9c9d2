import assert from 'node:assert/strict'
import { execFile, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { after, before, suite, test } from 'node:test'
import { promisify } from 'node:util'
import { goodPassword } from '../support/daemon.ts'
import { Person } from '../support/person.ts'
import { kill } from '../support/daemon_process.ts'
import { RelyingParty } from '../support/relying_party.ts'
import { freePort } from '../support/free_port.ts'
import { App, callback, newPerson, startProvider, type Provider } from '../support/openid_stage.ts'
import { unlessLong } from '../long.ts'

const run = promisify(execFile)
const missing = (path: string, debianPackage: string) =>
  existsSync(path) ? false : `${path} is not installed (Debian: apt-get install ${debianPackage})`

suite('unmodified OAuth programs of Debian', () => {
  let stage: Provider
  let dir: string
  before(async () => {
    stage = await startProvider()
    dir = mkdtempSync(join(tmpdir(), 'programs-'))
  })
  after(async () => {
    await stage.daemon.close()
    rmSync(dir, { recursive: true, force: true })
  })

  test(
    'oidc-agent signs in by a loopback redirect, refreshes, and revokes its token',
    { skip: missing('/usr/bin/oidc-gen', 'oidc-agent-cli') || unlessLong, timeout: 60_000 },
    async () => {
      const redirect = `http://localhost:${await freePort()}`
      const added = await stage.daemon.hero.clients.add({
        anyone: true,
        name: 'oidc-agent',
        native: true,
        redirect_uris: [redirect],
        first_party: true,
      })
      const { client, client_secret } = added
      const socket = join(dir, 'agent')
      const env = { PATH: process.env.PATH, HOME: dir, OIDC_SOCK: socket, OIDC_CONFIG_DIR: join(dir, 'oidc') }
      const password = '--pw-cmd=echo of-this-test-alone'
      // It is several processes: a process group of their own ends them together.
      const agent = spawn('oidc-agent', ['-d', '-a', socket, '--quiet'], {
        env,
        stdio: 'ignore',
        detached: true,
      })
      for (let i = 0; i < 200 && !existsSync(socket); i++) await delay(25)
      const asking = [
        '--flow=code',
        '--no-url-call',
        '--no-scheme',
        '--prompt=none',
        '--confirm-yes',
        password,
      ]
      const named = [`--issuer=${stage.issuer}`, `--client-id=${client}`, `--client-secret=${client_secret}`]
      const wanted = [`--redirect-uri=${redirect}`, '--scope=openid profile offline_access', 'ours']
      const generating = spawn('oidc-gen', ['-m', ...asking, ...named, ...wanted], { env })
      try {
        let said = ''
        generating.stdout.setEncoding('utf8').on('data', (text: string) => (said += text))
        generating.stderr.setEncoding('utf8').on('data', (text: string) => (said += text))
        const address = async () => {
          for (let i = 0; i < 200; i++) {
            const found = /^http\S+\/authorize\?\S+(?=\s)/m.exec(said)?.[0]
            if (found !== undefined) return found
            await delay(25)
          }
          throw new Error(`oidc-gen printed no URL: ${said}`)
        }
        const person = new Person()
        const asked = await person.signIn(await person.open(await address()), 'ada', goodPassword)
        const ended = once(generating, 'exit')
        // A native application needs consent each time (RFC 8252 section 8.6): it could be another program.
        const back = await person.submit(asked, '/auth/consent/', { answer: 'allow' })
        assert.equal(back.url.origin, redirect)
        assert.equal(back.status, 200)
        assert.deepEqual(await ended, [0, null], said)

        const app = new App(stage.issuer, added)
        const token = async (...more: string[]) => {
          const { stdout } = await run('oidc-token', [...more, 'ours'], { env })
          return stdout.trim()
        }
        const first = await token()
        const about = (await (await app.userinfo(first)).json()) as Record<string, unknown>
        assert.equal(about.preferred_username, 'ada')
        // Twice, because it must have stored the new refresh token.
        const second = await token('--force-new')
        const third = await token('--force-new')
        assert.equal(new Set([first, second, third]).size, 3)
        assert.equal((await app.userinfo(third)).status, 200)

        const { stdout } = await run('oidc-gen', ['-p', 'ours', password], { env })
        const { refresh_token } = JSON.parse(stdout) as { refresh_token: string }
        await run('oidc-gen', ['-d', 'ours', '--confirm-yes', password], { env })
        assert.equal((await app.refresh(refresh_token)).body.error, 'invalid_grant')
        assert.equal((await app.userinfo(third)).status, 401)
      } finally {
        await kill(generating, 'SIGTERM')
        process.kill(-agent.pid!, 'SIGTERM')
      }
    },
  )

  test(
    'kubectl refreshes an expired ID token and sends the new one',
    { skip: missing('/usr/bin/kubectl', 'kubernetes-client') || unlessLong, timeout: 60_000 },
    async () => {
      const added = await stage.daemon.hero.clients.add({
        anyone: true,
        name: 'kubectl',
        client: 'kubectl',
        redirect_uris: [callback],
        first_party: true,
      })
      const app = new RelyingParty(stage.issuer, added, newPerson())
      const { body } = await app.tokens(app.person, 'ada', { scope: 'openid email groups offline_access' })
      const [key, cert] = [join(dir, 'key.pem'), join(dir, 'cert.pem')]
      const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2']
      const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost']
      execFileSync('openssl', ['req', ...kind, ...names, '-keyout', key, '-out', cert], { stdio: 'pipe' })
      const sent: (string | undefined)[] = []
      const api = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (request, response) => {
        sent.push(request.headers.authorization)
        response.setHeader('content-type', 'application/json').end('{"major":"1","minor":"32"}')
      }).listen(0, '127.0.0.1')
      await once(api, 'listening')
      try {
        const { port } = api.address() as AddressInfo
        const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
        const old = `${part({ alg: 'RS256' })}.${part({ iss: stage.issuer, exp: 1 })}.x`
        const config = {
          'idp-issuer-url': stage.issuer,
          'client-id': added.client,
          'client-secret': added.client_secret,
          'id-token': old,
          'refresh-token': body.refresh_token,
        }
        const cluster = { server: `https://localhost:${port}`, 'certificate-authority': cert }
        const file = join(dir, 'kubeconfig')
        const kept = {
          apiVersion: 'v1',
          kind: 'Config',
          clusters: [{ name: 'c', cluster }],
          users: [{ name: 'u', user: { 'auth-provider': { name: 'oidc', config } } }],
          contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
          'current-context': 'x',
        }
        writeFileSync(file, JSON.stringify(kept))
        const env = { PATH: process.env.PATH, HOME: dir, KUBECONFIG: file }
        const ask = async () => {
          const { stdout } = await run('kubectl', ['get', '--raw', '/version'], { env })
          assert.match(stdout, /"minor":"32"/)
          return sent.at(-1)!.replace('Bearer ', '')
        }
        const first = await ask()
        assert.equal((await app.checkIdToken(first)).email, 'ada@example.org')
        assert.equal(await ask(), first)
        // It stored what it received, the new refresh token too.
        writeFileSync(file, readFileSync(file, 'utf8').replace(first, old))
        // Two tokens issued within one second are equal.
        await delay(1000)
        const second = await ask()
        assert.notEqual(second, first)
        await app.checkIdToken(second)
      } finally {
        api.close()
      }
    },
  )
})
