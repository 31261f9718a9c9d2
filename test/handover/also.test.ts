import assert from 'node:assert/strict'
import { after, beforeEach, describe, test } from 'node:test'
import { goodPassword } from '../support/daemon.ts'
import { got, postForm, startStage, type Stage } from '../support/edge_stage.ts'
import { signIn } from '../support/http.ts'
import { byHand } from '../support/people.ts'
import { valuesOf } from '../support/upstream.ts'
import { Walker } from './steps.ts'

const wiki = 'http://wiki.localhost:9997'
const api = 'http://api.localhost:9997'
const files = 'http://files.localhost:9997'
const session = '__Host-hero_proxy_session'

describe('hosts at which people are signed in together', () => {
  let stage: Stage
  let wikiRoute: string
  let apiRoute: string
  let filesRoute: string
  const routes = () => stage.daemon.hero.proxy.routes

  beforeEach(async () => {
    await stage?.close()
    stage = await startStage({ public_url: 'http://localhost:9997' })
    const { target } = stage.upstream
    const add = async (host: string, also: string[] = []) =>
      (await routes().add({ domain: `${host}.localhost`, target, auth_mode: 'local', also })).id
    apiRoute = await add('api')
    filesRoute = await add('files')
    wikiRoute = await add('wiki', ['api.localhost', 'files.localhost'])
  })
  after(() => stage.close())

  const browserOf = async (name: string): Promise<Walker> => {
    const walker = new Walker(stage.daemon)
    walker.keep('localhost', await signIn(stage.daemon, 'localhost', name, goodPassword))
    return walker
  }
  /** Whom the service at an address sees, without a sign-in on the way. */
  const seenAt = async (walker: Walker, address: string) => {
    const answer = await walker.step(`${address}/page`)
    return answer.status === 200 ? valuesOf(got(answer).rawHeaders, 'x-hero-user')[0] : undefined
  }
  const seen = async (walker: Walker) => [
    await seenAt(walker, wiki),
    await seenAt(walker, api),
    await seenAt(walker, files),
  ]
  const field = (body: string, name: string) =>
    new RegExp(`name="${name}" value="([^"]+)"`).exec(body)?.[1]?.replaceAll('&amp;', '&') ?? ''
  const leave = async (walker: Walker, at: string) => {
    const { answer } = await walker.walk(`${at}/.hero_proxy/sign_out`)
    const fields = {
      form_token: field(answer.body, 'form_token'),
      leaving: field(answer.body, 'leaving'),
      scope: 'here',
    }
    await postForm(stage.daemon, 'localhost', '/auth/logout', fields, ['Cookie', walker.cookies('localhost')])
  }
  const hops = (addresses: readonly string[], at: string) =>
    addresses.filter((address) => address.startsWith(`${at}/.hero_proxy/`)).length

  test('one arrival passes them once and ends at its page', async () => {
    const ada = await browserOf('ada')
    const { addresses, answer } = await ada.walk(`${wiki}//deep?x=1`)
    assert.equal(answer.status, 200)
    assert.equal(addresses.at(-1), `${wiki}//deep?x=1`)
    assert.deepEqual([hops(addresses, api), hops(addresses, files)], [2, 2])
    assert.ok(addresses.length - 1 <= 10, `${addresses.length - 1} redirects`)
    assert.deepEqual(await seen(ada), ['ada', 'ada', 'ada'])
    assert.equal((await ada.walk(`${wiki}/again`)).addresses.length, 1)
  })

  test('they end together, whichever of them is left, and are opened together again', async () => {
    for (const at of [wiki, api, files]) {
      const ada = await browserOf('ada')
      await ada.walk(`${wiki}/page`)
      await leave(ada, at)
      assert.deepEqual(await seen(ada), [undefined, undefined, undefined], at)
      assert.equal(await seenAt(ada, 'http://localhost:9997/auth/me'), undefined)
    }
    const [mine] = (await stage.daemon.hero.sessions.list({ user: 'ada' })).items
    assert.ok(mine, 'the sign-in at home goes on')
  })

  test('one that is ended alone takes the others with it, and nothing else', async () => {
    const ada = await browserOf('ada')
    await routes().add({ domain: 'chat.localhost', target: stage.upstream.target, auth_mode: 'local' })
    await ada.walk('http://chat.localhost:9997/')
    await ada.walk(`${wiki}/page`)
    const other = await browserOf('ada')
    await other.walk(`${wiki}/page`)
    const child = await byHand(stage.daemon, ({ query }) =>
      query
        .selectFrom('child_sessions')
        .select('id')
        .where('origin', '=', api)
        .orderBy('id')
        .executeTakeFirst(),
    )
    await stage.daemon.hero.sessions.revoke({ id: child!.id })
    assert.deepEqual(await seen(ada), [undefined, undefined, undefined])
    assert.equal(await seenAt(ada, 'http://chat.localhost:9997'), 'ada')
    assert.deepEqual(await seen(other), ['ada', 'ada', 'ada'])
  })

  test('a host that was open before joins', async () => {
    const ada = await browserOf('ada')
    await ada.walk(`${api}/page`)
    const cookie = ada.jar.get('api.localhost')!.get(session)
    await ada.walk(`${wiki}/page`)
    assert.equal(ada.jar.get('api.localhost')!.get(session), cookie, 'its session stays')
    await leave(ada, wiki)
    assert.deepEqual(await seen(ada), [undefined, undefined, undefined])
  })

  test('services that share one end together', async () => {
    await routes().add({
      domain: 'app.localhost',
      target: stage.upstream.target,
      auth_mode: 'local',
      also: ['api.localhost'],
    })
    const ada = await browserOf('ada')
    await ada.walk(`${wiki}/page`)
    await ada.walk('http://app.localhost:9997/page')
    await leave(ada, 'http://app.localhost:9997')
    assert.deepEqual(await seen(ada), [undefined, undefined, undefined])
  })

  test('what would ask or lacks proof is left out', async () => {
    await routes().update({ id: filesRoute, confirm: true })
    const ada = await browserOf('ada')
    assert.equal((await ada.walk(`${wiki}/page`)).addresses.at(-1), `${wiki}/page`)
    assert.deepEqual(await seen(ada), ['ada', 'ada', undefined])

    await routes().update({ id: filesRoute, confirm: false, auth_mode: 'oauth' })
    const again = await browserOf('ada')
    assert.equal((await again.walk(`${wiki}/page`)).addresses.at(-1), `${wiki}/page`)
    assert.deepEqual(await seen(again), ['ada', 'ada', undefined])

    await routes().update({ id: filesRoute, auth_mode: 'none' })
    await routes().update({ id: apiRoute, enabled: false })
    const third = await browserOf('ada')
    const { addresses } = await third.walk(`${wiki}/page`)
    assert.deepEqual([hops(addresses, api), hops(addresses, files)], [0, 0])
    assert.equal(addresses.at(-1), `${wiki}/page`)
  })

  test('a host that the person has left is left out', async () => {
    const ada = await browserOf('ada')
    await ada.walk(`${api}/page`)
    await leave(ada, api)
    assert.equal((await ada.walk(`${wiki}/page`)).addresses.at(-1), `${wiki}/page`)
    assert.deepEqual(await seen(ada), ['ada', undefined, 'ada'])
  })

  test('a host that keeps no cookies does not hold the page up', async () => {
    const ada = await browserOf('ada')
    const { addresses } = await ada.walk(`${wiki}/page`, undefined, (host) => host !== 'api.localhost')
    assert.equal(addresses.at(-1), `${wiki}/page`)
    assert.deepEqual(await seen(ada), ['ada', undefined, 'ada'])
  })

  test('the way of one person opens nothing for another, and a made-up one leads nowhere', async () => {
    const ada = await browserOf('ada')
    const stop = (await ada.walk(`${wiki}/page`, `${api}/.hero_proxy/sign_in`)).addresses.at(-1)!
    const bob = await browserOf('bob')
    const { addresses } = await bob.walk(stop, `${wiki}/`)
    assert.equal(addresses.at(-1), `${wiki}/page`)
    assert.deepEqual(await seen(bob), [undefined, undefined, undefined])
    const code = (await ada.walk(stop, `${api}/.hero_proxy/arrive`)).addresses.at(-1)!
    await bob.step(code)
    assert.equal(await seenAt(bob, api), undefined)
    assert.equal((await ada.walk(code)).addresses.at(-1), `${wiki}/page`)
    assert.equal(await seenAt(ada, api), undefined, 'the code was used up')

    for (const passage of ['x'.repeat(60), '', encodeURIComponent('{"to":"https://evil.test"}')])
      for (const address of [
        `${api}/.hero_proxy/sign_in?passage=${passage}`,
        `http://localhost:9997/auth/login?service=${encodeURIComponent(api)}&passage=${passage}`,
      ])
        assert.doesNotMatch((await bob.step(address)).headers.location ?? '', /evil|wiki/)
  })

  test('the option names up to two other hosts at which people sign in', async () => {
    const refused = (also: string[]) => assert.rejects(routes().update({ id: wikiRoute, also }))
    await refused(['api.localhost', 'files.localhost', 'enter.localhost'])
    await refused(['wiki.localhost'])
    await refused(['localhost'])
    await refused(['nobody.localhost'])
    await routes().update({ id: wikiRoute, also: [] })
    const ada = await browserOf('ada')
    assert.equal((await ada.walk(`${wiki}/page`)).addresses.length, 5)
    assert.deepEqual(await seen(ada), ['ada', undefined, undefined])
  })
})
