import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { goodPassword } from '../support/daemon.ts'
import { Person } from '../support/person.ts'
import { startProvider } from '../support/openid_stage.ts'
import { startForge } from './forge_peer.ts'
import { startRelying, whoIs, type Page, type Stage } from '../support/provider_stage.ts'

describe('plain OAuth 2.0', () => {
  for (const shape of ['github', 'forgejo'] as const)
    describe(`shaped like ${shape}`, () => {
      const signIn = async (stage: Stage, login: string): Promise<{ person: Person; page: Page }> => {
        const person = new Person()
        const page = await person.open(`${stage.origin}/login?provider=forge`)
        return { person, page: await person.submit(page, '/login/oauth/authorize', { login }) }
      }

      test('people sign up and sign in by user ID, with a verified address', async () => {
        await using stage = await startRelying()
        await using forge = await startForge(shape)
        const { hero } = stage
        await hero.providers.add({
          own_callback: true,
          provider: 'forge',
          title: 'Forge',
          allow_signup: true,
          ...forge.fields,
        })
        const { ok, steps } = await hero.providers.test({ provider: 'forge' })
        assert.ok(ok, JSON.stringify(steps))
        forge.accounts.set('octo', {
          id: 583231,
          login: 'octo',
          name: 'Octo Cat',
          email: null,
          emails: [
            { email: 'old@example.org', primary: false, verified: true },
            { email: 'Octo@Example.org', primary: true, verified: true },
          ],
        })
        const { person } = await signIn(stage, 'octo')
        assert.equal(await whoIs(person, stage.origin), 'octo')
        const user = await hero.users.get({ username: 'octo' })
        assert.deepEqual([user.email, user.display_name], ['octo@example.org', 'Octo Cat'])
        const [identity] = (await hero.users.identities.list({ user: 'octo' })).items
        assert.deepEqual(
          [identity!.subject, identity!.login, identity!.avatar_url],
          ['583231', 'octo', 'https://avatars.example.org/583231'],
        )
        // Renamed there and without an address: the ID is the same.
        const old = forge.accounts.get('octo')!
        forge.accounts.set('octocat', { ...old, login: 'octocat', emails: [] })
        const renamed = await signIn(stage, 'octocat')
        assert.equal(await whoIs(renamed.person, stage.origin), 'octo')
        // Another account that takes the old login is a different person.
        forge.accounts.set('octo', {
          ...old,
          id: 7,
          emails: [{ email: 'x@example.org', primary: true, verified: true }],
        })
        const other = await signIn(stage, 'octo')
        assert.equal(await whoIs(other.person, stage.origin), 'octo-2')
      })

      test('an address that is unverified, or in the profile only, is ignored', async () => {
        await using stage = await startRelying()
        await using forge = await startForge(shape)
        await stage.hero.providers.add({
          own_callback: true,
          provider: 'forge',
          allow_signup: true,
          ...forge.fields,
        })
        const email = 'grace@example.org'
        const account = { id: 9, login: 'mallory', name: null, email }
        for (const emails of [
          [{ email, primary: true, verified: false }],
          [
            { email, primary: false, verified: true },
            { email: 'm@example.org', primary: true, verified: false },
          ],
        ]) {
          forge.accounts.set('mallory', { ...account, emails })
          const { person, page } = await signIn(stage, 'mallory')
          assert.equal(page.status, 403, page.text)
          assert.match(page.text, /not verified/)
          assert.equal(await whoIs(person, stage.origin), undefined)
        }
        const denied = await signIn(stage, 'nobody')
        assert.match(denied.page.text, /stopped the sign-in/)
      })

      test('a wrong secret is reported by providers.test and on the sign-in page', async () => {
        await using stage = await startRelying()
        await using forge = await startForge(shape)
        const { hero } = stage
        await hero.providers.add({
          own_callback: true,
          provider: 'forge',
          ...forge.fields,
          client_secret: 'wrong',
        })
        forge.accounts.set('octo', { id: 1, login: 'octo', name: null, email: null, emails: [] })
        const { steps } = await hero.providers.test({ provider: 'forge' })
        const failed = steps.find(({ ok }) => ok === false)
        assert.equal(failed?.step, 'client', JSON.stringify(steps))
        assert.match(failed.detail, /client_id or secret is wrong/)
        const { page } = await signIn(stage, 'octo')
        assert.equal(page.status, 502)
        if (shape === 'forgejo') assert.match(page.text, /rejected our client_id or secret/)
        await hero.providers.update({
          provider: 'forge',
          client_secret: forge.client.client_secret,
          client_auth: 'client_secret_post',
        })
        await hero.users.identities.add({ user: 'grace', provider: 'forge', subject: '1' })
        assert.equal(await whoIs((await signIn(stage, 'octo')).person, stage.origin), 'grace')
      })
    })
})

describe('another hero_proxy', () => {
  test('a second instance signs people in', async () => {
    await using stage = await startRelying()
    const { daemon: other, issuer } = await startProvider()
    try {
      const { hero } = stage
      const client = await other.hero.clients.add({
        anyone: true,
        client: 'first',
        name: 'The first',
        first_party: true,
        redirect_uris: [`${stage.origin}/oauth/callback/other`],
        post_logout_redirect_uris: [`${stage.origin}/auth/login`],
        backchannel_logout_uri: `${stage.origin}/oauth/backchannel_logout`,
      })
      await other.hero.groups.add({ slug: 'crew' })
      await other.hero.groups.add_member({ group: 'crew', user: 'grace' })
      await hero.groups.add({ slug: 'guests' })
      await hero.providers.add({
        own_callback: true,
        provider: 'other',
        preset: 'hero_proxy',
        issuer,
        title: 'The other',
        client: 'first',
        client_secret: client.client_secret!,
        groups: [{ value: 'crew', group: 'guests' }],
        sign_out: true,
      })
      const { ok, steps } = await hero.providers.test({ provider: 'other' })
      assert.ok(ok, JSON.stringify(steps))
      await hero.users.identities.add({
        user: 'grace',
        provider: 'other',
        subject: (await other.hero.users.get({ username: 'grace' })).id,
      })
      const person = new Person()
      const there = await person.open(`${stage.origin}/login?provider=other&next=/auth/me`)
      assert.equal(there.url.origin, issuer)
      const back = await person.signIn(there, 'grace', goodPassword)
      assert.equal(back.url.href, `${stage.origin}/auth/me`, back.text)
      assert.equal(await whoIs(person, stage.origin), 'grace')
      assert.ok((await hero.claims.resolve({ user: 'grace' })).claims.includes('groups.guests'))

      // A logout there ends the session here.
      const session = (await other.hero.sessions.list({ user: 'grace' })).items[0]!
      await other.hero.sessions.revoke({ id: session.id })
      for (let i = 0; i < 100 && (await whoIs(person, stage.origin)) !== undefined; i++)
        await new Promise((resolve) => setTimeout(resolve, 50))
      assert.equal(await whoIs(person, stage.origin), undefined)

      // A logout here continues at the provider.
      const again = new Person()
      await again.signIn(await again.open(`${stage.origin}/login?provider=other`), 'grace', goodPassword)
      assert.equal(await whoIs(again, stage.origin), 'grace')
      const leaving = await again.submit(await again.open(`${stage.origin}/auth/me`), '/auth/logout', {})
      assert.equal(leaving.url.origin, issuer, leaving.text)
      assert.equal(await whoIs(again, stage.origin), undefined)
    } finally {
      await other[Symbol.asyncDispose]()
    }
  })
})
