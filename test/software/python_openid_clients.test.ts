import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, suite, test } from 'node:test'
import { kill } from '../support/daemon_process.ts'
import { python, pythonMissing } from './python.ts'
import { App, callback, newPerson, startProvider, type Provider } from '../support/openid_stage.ts'
import { unlessLong } from '../long.ts'

interface Learned {
  readonly subjects: readonly string[]
  readonly name: string
  readonly email: string
  readonly renewed: boolean
  readonly refresh_token: string
  readonly logout: string
}

suite('unmodified Python libraries for OpenID Connect', () => {
  let stage: Provider
  before(async () => {
    stage = await startProvider()
  })
  after(() => stage.daemon.close())

  /** What an application does: sign in, refresh, revoke and sign out. */
  const visit = async (script: string, pkce: boolean) => {
    const { hero } = stage.daemon
    const added = await hero.clients.add({
      anyone: true,
      name: script,
      redirect_uris: [callback],
      first_party: true,
      pkce,
    })
    const args = [stage.issuer, added.client, added.client_secret!, callback]
    const child = spawn(python, [join(import.meta.dirname, 'openid_clients', script), ...args], {
      // Without these the libraries refuse plain HTTP.
      env: { ...process.env, AUTHLIB_INSECURE_TRANSPORT: '1', OAUTHLIB_INSECURE_TRANSPORT: '1' },
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    try {
      const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
      const person = newPerson()
      const app = new App(stage.issuer, added)
      const asked = new URL((await lines.next()).value as string)
      const back = await app.signIn(person, 'ada', Object.fromEntries(asked.searchParams))
      child.stdin.write(`${callback}?${back}\n`)
      const learned = JSON.parse((await lines.next()).value as string) as Learned
      const { id } = await hero.users.get({ username: 'ada' })
      assert.deepEqual([...new Set(learned.subjects)], [id])
      assert.deepEqual(
        [learned.name, learned.email, learned.renewed],
        ['Ada Lovelace', 'ada@example.org', true],
      )
      assert.equal((await app.refresh(learned.refresh_token)).body.error, 'invalid_grant')
      const page = await person.open(learned.logout)
      const left = await person.submit(page, '/oauth/logout/confirm', { logout: 'yes' })
      assert.match(left.text, /Signed out/)
      assert.equal((await person.open(asked)).url.pathname, '/auth/login')
    } finally {
      await kill(child, 'SIGTERM')
    }
  }

  test(
    'Authlib signs in, refreshes, revokes and signs out',
    { skip: pythonMissing('authlib', 'requests') || unlessLong, timeout: 60_000 },
    () => visit('with_authlib.py', true),
  )

  test(
    'requests-oauthlib signs in, refreshes, revokes and signs out',
    { skip: pythonMissing('requests_oauthlib') || unlessLong, timeout: 60_000 },
    () => visit('with_requests_oauthlib.py', false),
  )
})
