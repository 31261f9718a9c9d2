import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { goodPassword } from '../support/daemon.ts'
import { postForm, startStage, type Stage } from '../support/edge_stage.ts'
import { signIn, type Answer } from '../support/http.ts'
import { Walker } from './steps.ts'

const home = 'http://localhost:9997'
const wiki = 'http://wiki.localhost:9997'
const signOutPage = `${home}/auth/logout`

describe('the address by which a service leads home to sign out', () => {
  let stage: Stage
  before(async () => {
    stage = await startStage()
    await stage.daemon.hero.proxy.routes.add({
      domain: 'wiki.localhost',
      target: stage.upstream.target,
      auth_mode: 'local',
    })
  })
  after(() => stage.close())

  const signedIn = async (name: string): Promise<Walker> => {
    const walker = new Walker(stage.daemon)
    walker.keep('localhost', await signIn(stage.daemon, 'localhost', name, goodPassword))
    return walker
  }
  const atWiki = async (walker: Walker) => (await walker.step(`${wiki}/page`)).status === 200
  const atHome = async (walker: Walker) => (await walker.step(`${home}/auth/me`)).status === 200
  const arrived = async (name: string): Promise<Walker> => {
    const walker = await signedIn(name)
    await walker.walk(`${wiki}/page`)
    assert.ok(await atWiki(walker))
    return walker
  }
  const field = (body: string, name: string) =>
    new RegExp(`name="${name}" value="([^"]+)"`).exec(body)?.[1]?.replaceAll('&amp;', '&') ?? ''
  const post = (walker: Walker, page: Answer, scope: string, leaving = field(page.body, 'leaving')) => {
    const fields = { form_token: field(page.body, 'form_token'), leaving, scope }
    return postForm(stage.daemon, 'localhost', '/auth/logout', fields, [
      'Cookie',
      walker.cookies('localhost'),
    ])
  }
  const leavingIn = (address: string) => new URL(address).searchParams.get('leaving') ?? ''

  test('does nothing in another browser, with or without a person signed in there', async () => {
    for (const thief of [new Walker(stage.daemon), await arrived('bob'), await signedIn('ada')]) {
      const ada = await arrived('ada')
      const address = (await ada.step(`${wiki}/.hero_proxy/sign_out`)).headers.location!
      const { answer } = await thief.walk(address)
      const own = leavingIn(address)
      assert.notEqual(own, '')
      assert.notEqual(field(answer.body, 'leaving'), own)
      // A form of another page brings it there all the same.
      const page = await thief.step(`${home}/auth/login?return_to=/`)
      const form = page.status === 200 ? page : await thief.step(signOutPage)
      for (const scope of ['here', 'everywhere']) await post(thief, form, scope, own)
      assert.ok(await atWiki(ada))
      assert.ok(await atHome(ada))
    }
  })

  test('does nothing elsewhere either when it was made for a browser without the cookie of home', async () => {
    const ada = await arrived('ada')
    ada.jar.delete('localhost')
    const { addresses } = await ada.walk(`${wiki}/.hero_proxy/sign_out`)
    const stolen = leavingIn(addresses.at(-1)!)
    const thief = new Walker(stage.daemon)
    // The thief has fetched an address of their own, so home knows their browser too.
    thief.keep('localhost', await signIn(stage.daemon, 'localhost', 'bob', goodPassword))
    await thief.walk(`${wiki}/page`)
    thief.jar.delete('localhost')
    await thief.walk(`${wiki}/.hero_proxy/sign_out`)
    assert.match(thief.cookies('localhost'), /hero_proxy_leaving=/)
    const { answer } = await thief.walk(`${signOutPage}?leaving=${encodeURIComponent(stolen)}`)
    assert.equal(field(answer.body, 'leaving'), '')
    for (const scope of ['here', 'everywhere']) await post(thief, answer, scope, stolen)
    assert.ok(await atWiki(ada))
  })

  test('still ends a session whose browser has lost the cookie of home, or holds that of another person', async () => {
    for (const scope of ['here', 'everywhere'])
      for (const other of [undefined, 'bob']) {
        const ada = await arrived('ada')
        ada.jar.delete('localhost')
        if (other !== undefined)
          ada.keep('localhost', await signIn(stage.daemon, 'localhost', other, goodPassword))
        const { answer, addresses } = await ada.walk(`${wiki}/.hero_proxy/sign_out`)
        assert.equal(addresses.length - 1, 3, addresses.join('\n'))
        assert.match(answer.body, /Sign out of wiki\.localhost only/)
        assert.equal((await post(ada, answer, scope)).status, 200)
        assert.ok(!(await atWiki(ada)))
      }
  })

  test('leads on where home can keep no cookie, without a loop', async () => {
    const ada = await arrived('ada')
    ada.jar.delete('localhost')
    const { addresses } = await ada.walk(
      `${wiki}/.hero_proxy/sign_out`,
      'nowhere',
      (host) => host !== 'localhost',
    )
    assert.equal(addresses.at(-1), `${home}/auth/login`)
    assert.ok(addresses.length <= 6)
  })
})
