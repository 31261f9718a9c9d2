import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Person } from '../support/person.ts'
import { startOidcPeer, type OidcPeer } from '../support/openid_peer.ts'
import { comeBy, startRelying, whoIs, type Stage } from '../support/provider_stage.ts'

describe('attributes that a provider says', () => {
  let stage: Stage
  let peer: OidcPeer
  before(async () => {
    stage = await startRelying()
    peer = await startOidcPeer(stage.origin)
    await stage.hero.providers.add({
      own_callback: true,
      provider: 'peer',
      preset: 'oidc',
      issuer: peer.issuer,
      title: 'The peer',
      ...peer.client,
    })
    const { attributes, users } = stage.hero
    // The peer reports these names; here they are attributes of its own.
    await attributes.update({ name: 'locale', source: 'peer' })
    await attributes.update({ name: 'zoneinfo', source: 'peer' })
    await attributes.add({ name: 'website', type: 'text', source: 'peer', unique: true })
    for (const [subject, user] of [
      ['7', 'grace'],
      ['8', 'ada'],
    ] as const)
      await users.identities.add({ user, provider: 'peer', subject })
  })
  after(async () => {
    await peer?.close()
    await stage?.[Symbol.asyncDispose]()
  })

  const come = async (subject: string, user: string, claims: object) => {
    const person = new Person()
    peer.accounts.set(subject, { email_verified: true, ...claims } as never)
    await comeBy(person, stage, 'peer', subject, '/auth/me')
    assert.equal(await whoIs(person, stage.origin), user)
    return (await stage.hero.users.get({ username: user })).attributes
  }

  test('follow each sign-in: what it says counts, what it leaves out or says wrongly is gone', async () => {
    const said = {
      locale: 'de-AT',
      zoneinfo: 'Europe/Vienna',
      website: 'https://gr.example',
      given_name: 'Not its to say',
    }
    assert.deepEqual(await come('7', 'grace', said), {
      locale: 'de-AT',
      zoneinfo: 'Europe/Vienna',
      website: 'https://gr.example',
    })
    assert.deepEqual(
      await come('7', 'grace', { locale: 'de\nAT', zoneinfo: 'Mars/Base', website: 'https://gr.example' }),
      { website: 'https://gr.example' },
    )
    assert.equal(await come('7', 'grace', {}), undefined)
  })

  test('a unique value that another person has is not given twice, and the sign-in goes on', async () => {
    await come('7', 'grace', { website: 'https://same.example' })
    assert.equal(await come('8', 'ada', { website: 'https://SAME.example' }), undefined)
    assert.deepEqual(await come('7', 'grace', { website: 'https://same.example' }), {
      website: 'https://same.example',
    })
  })
})
