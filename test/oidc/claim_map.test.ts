import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { newPerson, payloadOf, startProvider, type Provider } from '../support/openid_stage.ts'
import { RelyingParty } from '../support/relying_party.ts'
import { refused } from '../support/refused.ts'

describe('JWT claims that a client gets by its claim_map', () => {
  let provider: Provider
  before(async () => {
    provider = await startProvider()
    const { attributes, users, groups } = provider.daemon.hero
    const define = (name: string, more: object) =>
      attributes.add({ name, type: 'text', source: 'administrator', scope: 'profile', ...more })
    await define('quota', {})
    await define('floor', { type: 'number' })
    await define('remote', { type: 'boolean', scope: null })
    await define('teams', { type: 'list', scope: 'email' })
    await define('staff', { unique: true, scope: null })
    await define('motto', { source: 'person', unique: true })
    await groups.add({ slug: 'math' })
    await groups.add_member({ group: 'math', user: 'ada' })
    await users.update({
      username: 'ada',
      attributes: {
        quota: '5 GB {name}',
        floor: 3,
        remote: true,
        teams: ['red', 'blue'],
        staff: 'al1815',
        motto: 'grace',
        given_name: 'Ada',
        zoneinfo: 'Europe/London',
      },
    })
  })
  after(() => provider.daemon.close())

  const withMap = async (claim_map: Record<string, string>, more: object = {}) => {
    const party = await RelyingParty.add(provider, { claim_map, ...more }, newPerson())
    return party
  }
  /** What the application reads: the same in the ID token and at userinfo. */
  const learned = async (party: RelyingParty, scope = 'openid profile email groups') => {
    const { idToken, userinfo } = await party.flow({ scope })
    return { idToken: idToken as Record<string, unknown>, userinfo }
  }

  test('words become values once, a lone one with its type, in ID token and userinfo alike', async () => {
    const party = await withMap({
      storage: '{attribute.quota}',
      floor_number: '{attribute.floor}',
      is_remote: '{attribute.remote}',
      teams: '{attribute.teams}',
      roles: '{groups}',
      label: '{name} <{email}>, {groups} on {attribute.floor}',
      'https://example.org/claims/kind': 'person',
    })
    const { idToken, userinfo } = await learned(party)
    for (const claims of [idToken, userinfo]) {
      assert.equal(claims.storage, '5 GB {name}')
      assert.equal(claims.floor_number, 3)
      assert.equal(claims.is_remote, true)
      assert.deepEqual(claims.teams, ['red', 'blue'])
      assert.deepEqual(claims.roles, claims.groups)
      assert.equal(
        claims.label,
        `Ada Lovelace <ada@example.org>, ${(claims.groups as string[]).join(',')} on 3`,
      )
      assert.equal(claims['https://example.org/claims/kind'], 'person')
    }
  })

  test('a word without a value, or without the scope for it, leaves its claim out', async () => {
    const party = await withMap({
      a: '{attribute.quota}',
      b: '{email}',
      c: 'x {groups}',
      d: '{id}',
      e: '{attribute.remote}',
      f: '{attribute.teams}',
      preferred_username: '{attribute.staff}',
    })
    const { idToken, userinfo } = await learned(party, 'openid')
    for (const claims of [idToken, userinfo]) {
      assert.equal(claims.d, claims.sub)
      assert.equal(claims.e, true)
      assert.equal(claims.preferred_username, 'al1815')
      for (const name of ['a', 'b', 'c', 'f']) assert.ok(!(name in claims), name)
    }
    // Grace has no staff number. With her username instead, she could be the person whose number it is.
    const graces = await party.walk(party.ask({ scope: 'openid profile' }).url, undefined, 'grace')
    assert.ok(graces)
    const other = new RelyingParty(party.issuer, party.client, newPerson())
    const asked = other.ask({ scope: 'openid profile' })
    const page = await other.walk(asked.url, undefined, 'grace')
    const { body } = await other.exchange(page.url.searchParams.get('code')!)
    assert.ok(!('preferred_username' in payloadOf(body.id_token)))
    assert.ok(!('preferred_username' in ((await (await other.userinfo(body.access_token)).json()) as object)))
  })

  test('scopes bring attributes under their own names, and no others', async () => {
    const party = await RelyingParty.add(provider)
    const { userinfo } = await learned(party, 'openid profile')
    assert.equal(userinfo.quota, '5 GB {name}')
    assert.equal(userinfo.given_name, 'Ada')
    assert.equal(userinfo.zoneinfo, 'Europe/London')
    for (const name of ['teams', 'staff', 'remote']) assert.ok(!(name in userinfo), name)
    const bare = await RelyingParty.add(provider, { scopes: ['openid'] })
    const narrow = await bare.flow({
      scope: 'openid',
      claims: JSON.stringify({
        userinfo: { quota: null, teams: null, staff: null },
        id_token: { quota: null },
      }),
    })
    for (const claims of [narrow.userinfo, narrow.idToken])
      for (const name of ['quota', 'teams', 'staff']) assert.ok(!(name in claims), name)
  })

  test('an address that is mapped is not a verified one', async () => {
    for (const template of ['{email}', '{user}@other.example']) {
      const { userinfo, idToken } = await learned(await withMap({ email: template }))
      for (const claims of [userinfo, idToken])
        assert.deepEqual(
          [claims.email, claims.email_verified],
          [template === '{email}' ? 'ada@example.org' : 'ada@other.example', false],
        )
    }
  })

  test('claims that carry security or rights cannot be mapped, in any case', async () => {
    const { clients } = provider.daemon.hero
    const names =
      'iss sub aud exp nbf iat jti nonce azp acr amr auth_time sid at_hash c_hash s_hash cnf act may_act scope client_id events email_verified phone_number_verified _claim_names _claim_sources groups claims context claims_by_reference Sub NONCE Email_Verified __proto__'
    for (const name of names.split(' '))
      await refused(
        clients.add({
          name: 'x',
          redirect_uris: ['https://x.test/cb'],
          anyone: true,
          claim_map: JSON.parse(`{"${name}":"{user}"}`) as never,
        }),
        'invalid_params',
      )
  })

  test('claims by which applications find accounts are one person’s', async () => {
    const { clients } = provider.daemon.hero
    const add = (claim_map: Record<string, string>) =>
      clients.add({ name: 'x', redirect_uris: ['https://x.test/cb'], anyone: true, claim_map })
    for (const name of [
      'preferred_username',
      'username',
      'nickname',
      'email',
      'upn',
      'uid',
      'unique_name',
      'login',
      'UPN',
    ]) {
      for (const wrong of [
        '{name}',
        '{attribute.motto}',
        '{attribute.quota}',
        '{groups}',
        '{user}{id}',
        'admin',
        '{attribute.none}',
      ])
        await refused(add({ [name]: wrong }), 'invalid_params', `claim_map.${name}`)
      for (const right of ['{user}', '{id}', '{email}', '{attribute.staff}', '{user}@example.org'])
        await add({ [name]: right })
    }
    await refused(add({ uid: '{user}', UID: '{id}' }), 'invalid_params', 'claim_map')
    for (const wrong of [
      '{user',
      'user}',
      '{nobody}',
      '{}',
      '{attribute.}',
      '{USER}',
      '{{user}}',
      'a\nb',
      '',
      'x'.repeat(257),
    ])
      await refused(add({ x: wrong }), 'invalid_params', 'claim_map.x')
    await refused(
      add(Object.fromEntries(Array.from({ length: 21 }, (_, i) => [`c${i}`, 'x']))),
      'invalid_params',
    )
  })

  test('a fixed account is shared by those whom a rule lets in, as long as there is one', async () => {
    const { clients } = provider.daemon.hero
    const { client } = await clients.add({
      name: 'Router',
      redirect_uris: ['https://router.test/cb'],
      required_claims: ['groups.math'],
      claim_map: { preferred_username: 'admin' },
    })
    await refused(clients.update({ client, anyone: true }), 'invalid_params', 'claim_map.preferred_username')
    await clients.update({ client, required_claims: ['groups.other'] })
    await clients.update({ client, anyone: true, claim_map: {} })
    await refused(
      clients.update({ client, claim_map: { login: 'admin' } }),
      'invalid_params',
      'claim_map.login',
    )
  })

  test('an attribute that stops telling people apart stops being given as one', async () => {
    const { attributes, users } = provider.daemon.hero
    await attributes.add({ name: 'badge', type: 'text', source: 'administrator', unique: true })
    const party = await withMap({ upn: '{attribute.badge}', badge: '{attribute.badge}' })
    await users.update({ username: 'ada', attributes: { badge: 'one' } })
    assert.equal((await learned(party)).userinfo.upn, 'one')
    await attributes.update({ name: 'badge', source: 'person' })
    await users.update({ username: 'ada', attributes: { badge: 'grace' } })
    const { userinfo } = await learned(party)
    assert.deepEqual([userinfo.badge, userinfo.upn], ['grace', undefined])
    await attributes.remove({ name: 'badge' })
    assert.equal((await learned(party)).userinfo.badge, undefined)
  })

  test('more than 4 KB are not issued, and the rest is', async () => {
    const long = 'x'.repeat(255)
    const party = await withMap(Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`c${i}`, long])))
    const { idToken } = await learned(party)
    assert.equal(idToken.c0, undefined)
    assert.equal(idToken.preferred_username, 'ada')
  })

  test('a client that registered itself gets none', async () => {
    const { clients, settings } = provider.daemon.hero
    await settings.set({ key: 'client_registration', value: 'open' })
    const answer = await fetch(`${provider.issuer}/oauth/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ redirect_uris: ['https://app.test/cb'] }),
    })
    const { client_id } = (await answer.json()) as { client_id: string }
    await refused(
      clients.update({ client: client_id, claim_map: { x: '{user}' } }),
      'invalid_params',
      'claim_map',
    )
  })

  test('the username of a token is that of the person, whatever the client calls them', async () => {
    const party = await withMap({ preferred_username: '{attribute.staff}' })
    const { tokens } = await party.flow({ scope: 'openid profile' })
    const answer = await fetch(`${provider.issuer}/oauth/introspect`, {
      method: 'POST',
      body: new URLSearchParams({ token: tokens.access_token }),
      headers: {
        authorization: `Basic ${Buffer.from(`${party.client.client}:${party.client.client_secret}`).toString('base64')}`,
      },
    })
    assert.equal(((await answer.json()) as { username: string }).username, 'ada')
  })
})
