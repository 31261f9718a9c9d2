import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { goodPassword, startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { got, postForm } from '../support/edge_stage.ts'
import { askRaw, type Answer } from '../support/http.ts'
import { startUpstream, valuesOf, type Upstream } from '../support/upstream.ts'
import { Walker } from './steps.ts'

const at = { home: 'id.example.test', wiki: 'wiki.example.test' }
const home = `http://${at.home}:9997`
const wiki = `http://${at.wiki}:9997`
const session = 'hero_proxy_session'
const userOf = (body: string) => valuesOf(got({ body }).rawHeaders, 'x-hero-user')[0]
const field = (body: string, name: string) =>
  new RegExp(`name="${name}" value="([^"]*)"`).exec(body)?.[1]?.replaceAll('&amp;', '&') ?? ''

describe('with insecure_cookies, over plain HTTP', () => {
  let daemon: TestDaemon
  let upstream: Upstream
  before(async () => {
    daemon = await startTestDaemon({ public_url: home })
    upstream = await startUpstream()
    const { hero } = daemon
    for (const username of ['ada', 'mallory']) await hero.users.add({ username, password: goodPassword })
    await hero.settings.set({ key: 'insecure_cookies', value: true })
    await hero.proxy.routes.add({ domain: at.wiki, target: upstream.target, auth_mode: 'local' })
  })
  after(async () => {
    await daemon.close()
    await upstream.close()
  })

  const keep = (walker: Walker, host: string, answer: Answer) => {
    for (const line of answer.headers['set-cookie'] ?? []) {
      assert.doesNotMatch(line, /__Host-|secure/i, 'a browser would drop it')
      if (!/max-age=0/i.test(line)) walker.keep(host, line.split(';')[0]!)
    }
  }
  const post = (walker: Walker, path: string, page: Answer, fields: Record<string, string>) =>
    postForm(daemon, at.home, path, { form_token: field(page.body, 'form_token'), ...fields }, [
      'Cookie',
      walker.cookies(at.home),
    ])
  /** Opens the wiki and signs in on the way. */
  const come = async (login: string): Promise<Walker> => {
    const walker = new Walker(daemon)
    const { answer: page } = await walker.walk(`${wiki}/page?x=1`)
    const fields = { login, password: goodPassword, return_to: field(page.body, 'return_to') }
    const entered = await post(walker, '/auth/login', page, fields)
    assert.ok(entered.status < 400, entered.body)
    keep(walker, at.home, entered)
    const [, refresh] = /http-equiv="refresh" content="0; url=([^"]+)"/.exec(entered.body) ?? []
    const next = new URL((entered.headers.location ?? refresh)!.replaceAll('&amp;', '&'), home).href
    const { addresses, answer } = await walker.walk(next)
    assert.equal(addresses.at(-1), `${wiki}/page?x=1`)
    assert.equal(userOf(answer.body), login)
    return walker
  }

  test('a person signs in at a service, goes on signed in, and signs out everywhere', async () => {
    const ada = await come('ada')
    assert.equal(userOf((await ada.step(`${wiki}/other`)).body), 'ada')
    const child = ada.jar.get(at.wiki)!.get(session)!
    const { answer } = await ada.walk(`${wiki}/.hero_proxy/sign_out`)
    const left = await post(ada, '/auth/logout', answer, {
      leaving: field(answer.body, 'leaving'),
      scope: 'everywhere',
    })
    assert.ok(left.status < 400, left.body)
    ada.keep(at.wiki, `${session}=${child}`)
    assert.equal((await ada.step(`${wiki}/page`)).status, 302)
    assert.notEqual((await ada.step(`${home}/auth/security`)).status, 200)
  })

  test('a cookie that arrives twice counts for nobody, and ends at a page with the reason', async () => {
    const [ada, mallory] = [await come('ada'), await come('mallory')]
    const planted = mallory.jar.get(at.wiki)!.get(session)!
    // The other page of the same site has set it for the domain of both: the blank keeps it beside the own one in this jar.
    ada.jar.get(at.wiki)!.set(`${session} `, planted)
    const { addresses, answer } = await ada.walk(`${wiki}/page`)
    assert.ok(addresses.length <= 11, addresses.join('\n'))
    assert.equal(answer.status, 400)
    assert.match(answer.body, /cookies/i)
    assert.equal(upstream.seen.filter(({ url }) => url === '/page').length, 0)
    ada.jar.get(at.wiki)!.delete(`${session} `)
    assert.equal(userOf((await ada.walk(`${wiki}/again`)).answer.body), 'ada')
    // The same at home: nobody is signed in there, least of all the person of the planted one.
    ada.jar.get(at.home)!.set(`${session} `, mallory.jar.get(at.home)!.get(session)!)
    const asked = await ada.step(`${home}/auth/security`)
    assert.notEqual(asked.status, 200)
    assert.doesNotMatch(asked.body, /mallory|ada/)
  })

  test('180 cookies planted for the parent domain make nobody else of a person, and can be cleared', async () => {
    const [ada, mallory] = [await come('ada'), await come('mallory')]
    const stolen = mallory.jar.get(at.home)!.get(session)!
    const own = ada.cookies(at.home)
    const ask = async (planted: readonly string[], path = '/auth/security') => {
      const walker = new Walker(daemon, ['Cookie', planted.join('; ')])
      walker.jar.set(at.home, new Map(ada.jar.get(at.home)))
      return walker.step(home + path)
    }
    const names = [
      '__Host-hero_proxy_session',
      'hero_proxy_flow_1',
      'Hero_Proxy_Session',
      'hero_proxy_sessio',
    ]
    const few = Array.from({ length: 180 }, (_, i) => `${names[i % 4]}${i < 4 ? '' : i}=${stolen}`)
    const signedIn = await ask(few)
    assert.equal(signedIn.status, 200)
    assert.match(signedIn.body, /ada/)
    assert.doesNotMatch(signedIn.body, /mallory/)
    const same = await ask([...few.slice(0, 170), `${session}=${stolen}`])
    assert.notEqual(same.status, 200)
    // More than fits: the page says so, and its button clears them where they were set.
    const many = Array.from({ length: 180 }, (_, i) => `hero_proxy_flow_${i}=${'x'.repeat(150)}`)
    const full = await ask(many)
    assert.equal(full.status, 431)
    assert.match(full.body, /Too many cookies/)
    const body = 'which=ours&path=/auth/security'
    const form = `Content-Type: application/x-www-form-urlencoded\r\nContent-Length: ${body.length}`
    const cleared = await askRaw(
      daemon,
      `POST /.hero_proxy/cookies HTTP/1.1\r\nHost: ${at.home}\r\nOrigin: http://${at.home}\r\nConnection: close\r\nCookie: ${own}; ${many.join('; ')}\r\n${form}\r\n\r\n${body}`,
    )
    assert.match(cleared, /^HTTP\/1\.1 303 /)
    const lines = [...cleared.matchAll(/\r\nset-cookie: ([^\r]*)/gi)].map(([, line]) => line!)
    for (let i = 0; i < 180; i++)
      assert.ok(
        lines.some(
          (line) => line.startsWith(`hero_proxy_flow_${i}=;`) && /domain=example\.test(;|$)/i.test(line),
        ),
        String(i),
      )
  })
})
