import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { onSqliteFirst } from '../support/databases.ts'
import { goodPassword, startTestDaemon, type TestDaemon } from '../support/daemon.ts'
import { openForm } from '../support/edge_stage.ts'
import { ask, signIn } from '../support/http.ts'
import { person } from '../support/people.ts'
import { greyPixel } from './grey_pixel.ts'
import { refused } from '../support/refused.ts'

const home = 'localhost:9997'

onSqliteFirst('pictures of people', (newUrl) => {
  let daemon: TestDaemon
  before(async () => {
    daemon = await startTestDaemon({ database_url: newUrl(), public_url: `http://${home}` })
    for (const username of ['ada', 'bob']) await person(daemon, username)
  })
  after(() => daemon.close())

  const set = (user: string, picture: Buffer | null, by = daemon.hero) =>
    by.users.set_picture({ user, picture: picture && picture.toString('base64') })
  const at = (address: string, headers: string[] = []) =>
    ask(daemon, home, new URL(address).pathname, { headers })

  test('have one address each, which stays and shows a generated one otherwise', async () => {
    const before = (await set('ada', null)).picture
    assert.match(before, /^http:\/\/localhost:9997\/auth\/pictures\/[A-Za-z0-9_-]{22}$/)
    const generated = await at(before)
    assert.deepEqual([generated.status, generated.headers['content-type']], [200, 'image/png'])
    assert.equal((await set('ada', greyPixel(7))).picture, before)
    const own = await at(before)
    assert.equal(Number(own.headers['content-length']), greyPixel(7).length)
    assert.notEqual(own.headers.etag, generated.headers.etag)
    assert.notEqual((await set('bob', greyPixel(7))).picture, before)
    await set('ada', null)
    assert.equal((await at(before)).headers.etag, generated.headers.etag)
    daemon = await daemon.restart()
    assert.equal((await set('ada', null)).picture, before)
    assert.equal((await at((await set('bob', null)).picture)).status, 200)
  })

  test('are served as pictures and nothing else, for pages of every origin, and asked for again after five minutes', async () => {
    const { picture } = await set('ada', greyPixel(9))
    const { headers } = await at(picture)
    assert.equal(headers['cache-control'], 'public, max-age=300')
    assert.equal(headers['x-content-type-options'], 'nosniff')
    assert.equal(headers['content-security-policy'], "default-src 'none'; sandbox")
    assert.equal(headers['cross-origin-resource-policy'], 'cross-origin')
    assert.equal(headers['set-cookie'], undefined)
    const again = await at(picture, ['If-None-Match', headers.etag!])
    assert.deepEqual([again.status, again.body], [304, ''])
    assert.equal((await at(picture, ['If-None-Match', '"other"'])).status, 200)
  })

  test('are at no address that could be guessed, and at none of somebody who may not sign in', async () => {
    const { picture } = await set('bob', greyPixel(3))
    const segment = picture.split('/').at(-1)!
    for (const wrong of [
      segment.slice(1),
      `${segment}A`,
      `${segment.slice(0, -1)}-`,
      `${segment}=`,
      'A'.repeat(22),
      'bob',
      segment.toLowerCase(),
    ])
      assert.equal((await at(`http://${home}/auth/pictures/${wrong}`)).status, 404, wrong)
    const { id } = await daemon.hero.users.get({ username: 'bob' })
    assert.ok(!Buffer.from(segment, 'base64url').equals(Buffer.from(id.replaceAll('-', ''), 'hex')))
    await daemon.hero.users.update({ username: 'bob', is_active: false })
    assert.equal((await at(picture)).status, 404)
    await daemon.hero.users.update({ username: 'bob', is_active: true })
    assert.equal((await at(picture)).status, 200)
    await daemon.hero.users.remove({ username: 'bob' })
    assert.equal((await at(picture)).status, 404)
  })

  test('are set by the person and those who manage people', async () => {
    const ada = daemon.hero.as(
      (await daemon.hero.auth.login({ login: 'ada', password: goodPassword })).access_token,
    )
    await daemon.hero.users.add({ username: 'cleo', is_admin: true })
    await set('ada', greyPixel(1), ada)
    await refused(set('cleo', greyPixel(1), ada), 'claim_required')
    await refused(set('nobody', greyPixel(1)), 'not_found')
    for (const wrong of ['<svg xmlns="http://www.w3.org/2000/svg"/>', '<html>', ''])
      await refused(set('ada', Buffer.from(wrong), ada), 'invalid_params', 'picture')
  })

  test('come by a plain form with a file', async () => {
    const ada = await signIn(daemon, 'localhost', 'ada', goodPassword)
    const post = async (file: Buffer, name = 'picture', type?: string) => {
      const form = await openForm(daemon, home, '/auth/profile', ['Cookie', ada])
      const data = new FormData()
      data.append('form_token', form.token)
      data.append(name, new Blob([new Uint8Array(file)], { type: 'image/png' }), '../../x.html')
      const encoded = new Response(data)
      return ask(daemon, home, '/auth/account/picture', {
        method: 'POST',
        headers: [
          'Content-Type',
          type ?? encoded.headers.get('content-type')!,
          'Accept',
          'text/html',
          'Cookie',
          `${ada}; ${form.cookie}`,
        ],
        body: Buffer.from(await encoded.arrayBuffer()),
      })
    }
    const { picture } = await set('ada', null)
    assert.equal((await post(greyPixel(42))).headers.location, '/auth/profile?done=picture')
    assert.equal(Number((await at(picture)).headers['content-length']), greyPixel(42).length)
    const page = await ask(daemon, home, '/auth/profile', { headers: ['Accept', 'text/html', 'Cookie', ada] })
    assert.ok(
      page.body.includes(new URL(picture).pathname) && page.body.includes('/auth/account/remove_picture'),
    )
    const wrong = await post(Buffer.from('<script>'))
    assert.deepEqual([wrong.status, /role="alert"/.test(wrong.body)], [400, true])
    assert.equal((await post(greyPixel(1), 'other')).status, 400)
    assert.equal((await post(greyPixel(1), 'picture', 'multipart/form-data; boundary=none')).status, 415)
    assert.equal((await post(Buffer.alloc(800 * 1024))).status, 413)
    assert.equal(Number((await at(picture)).headers['content-length']), greyPixel(42).length)
  })
})
