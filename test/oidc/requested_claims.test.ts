import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { goodPassword } from '../support/daemon.ts'
import { RelyingParty } from '../support/relying_party.ts'
import { callback, newPerson, startProvider, type Provider } from '../support/openid_stage.ts'

suite('individually requested claims (OpenID Connect Core section 5.5)', () => {
  let stage: Provider
  before(async () => {
    stage = await startProvider()
    const { hero } = stage.daemon
    await hero.groups.add({ slug: 'engineers' })
    await hero.groups.add_member({ group: 'engineers', user: 'ada' })
  })
  after(() => stage.daemon.close())
  const asking = (claims: object) => ({ scope: 'openid', claims: JSON.stringify(claims) })

  test('each claim is returned where it was requested, and no other is', async () => {
    const rp = await RelyingParty.add(stage, { first_party: true })
    const { userinfo, idToken, tokens } = await rp.flow(
      asking({
        userinfo: { email: null },
        id_token: { name: { essential: true }, auth_time: null, unknown: null },
      }),
    )
    assert.deepEqual(Object.keys(userinfo).toSorted(), ['email', 'sub'])
    assert.deepEqual([idToken.name, idToken.email, 'unknown' in idToken], ['Ada Lovelace', undefined, false])
    assert.equal(typeof idToken.auth_time, 'number')
    // A renewed token keeps the requested claims.
    const answer = await rp.refresh(tokens.refresh_token)
    assert.equal((await rp.checkTokens(answer, idToken.nonce as string)).name, 'Ada Lovelace')
    const later = await rp.checkUserinfo(await rp.userinfo(answer.body.access_token), idToken.sub)
    assert.deepEqual(Object.keys(later).toSorted(), ['email', 'sub'])
  })

  test('consent asks once for a claim, as for the scope that contains it', async () => {
    const rp = await RelyingParty.add(stage, { name: 'Third' })
    const request = rp.ask(asking({ userinfo: { email: null } }))
    const page = await rp.person.signIn(await rp.person.open(request.url), 'ada', goodPassword)
    assert.match(page.text, /Give Third access\?/)
    assert.match(page.text, /your email address/)
    const back = await rp.person.submit(page, '/auth/consent/', { answer: 'allow' })
    const answer = await rp.exchange(back.url.searchParams.get('code')!)
    const { sub } = await rp.checkTokens(answer, request.nonce)
    const about = await rp.checkUserinfo(await rp.userinfo(answer.body.access_token), sub)
    assert.equal(about.email, 'ada@example.org')
    rp.seen.length = 0
    await rp.flow(asking({ userinfo: { email: null } }))
    assert.deepEqual(rp.seen, [])
    // A further claim needs a further consent.
    await rp.flow(asking({ userinfo: { groups: null } }))
    assert.deepEqual(rp.seen, ['/auth/consent'])
  })

  test('prompt=none returns consent_required when a claim lacks consent', async () => {
    const rp = await RelyingParty.add(stage)
    await rp.flow({ scope: 'openid' })
    const error = await rp.refused(rp.ask({ ...asking({ userinfo: { email: null } }), prompt: 'none' }))
    assert.equal(error, 'consent_required')
  })

  test('a client cannot obtain by a claim what its scopes do not allow', async () => {
    for (const first_party of [true, false]) {
      const rp = await RelyingParty.add(stage, { scopes: ['openid', 'email'], first_party }, newPerson())
      const all = { groups: { essential: true }, claims: null, context: null, name: null, email: null }
      const { userinfo, idToken } = await rp.flow(asking({ userinfo: all, id_token: all }))
      assert.deepEqual(Object.keys(userinfo).toSorted(), ['email', 'sub'])
      for (const name of ['groups', 'claims', 'context', 'name']) assert.equal(name in idToken, false, name)
    }
  })

  test('an invalid claims parameter is refused, and unknown members are ignored', async () => {
    const rp = await RelyingParty.add(stage)
    for (const claims of ['{', '[]', '"x"', '{}', '{"userinfo":[]}', '{"id_token":"x"}', 'null'])
      assert.equal(await rp.refused(rp.ask({ claims })), 'invalid_request', claims)
    const odd = { userinfo: { email: 'yes', __proto__x: null, constructor: null }, other: { groups: null } }
    await rp.flow(asking(odd))
  })

  test('a requested sub must match the signed-in person', async () => {
    const rp = await RelyingParty.add(stage, { redirect_uris: [callback] })
    const { idToken } = await rp.flow()
    const grace = await stage.daemon.hero.users.get({ username: 'grace' })
    const named = (sub: string) =>
      rp.ask({ ...asking({ id_token: { sub: { value: sub } } }), prompt: 'none' })
    assert.equal(await rp.refused(named(grace.id)), 'login_required')
    await rp.authorize(named(idToken.sub!))
  })
})
