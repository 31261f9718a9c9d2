import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { after, before, test } from 'node:test'
import { pngChunk, pngSignature } from '../../src/pictures/png.ts'
import { selfSigned } from '../../src/tls/self_signed.ts'
import { onSqliteFirst } from '../support/databases.ts'
import { startHostileProvider, type HostileProvider } from '../support/hostile_provider.ts'
import { byHand } from '../support/people.ts'
import { Person } from '../support/person.ts'
import { greyPixel } from '../pictures/grey_pixel.ts'
import { startRelying, whoIs, type Stage } from '../support/provider_stage.ts'

const wide = (side: number): Buffer => {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(side, 0)
  header.writeUInt32BE(1, 4)
  header.set([8, 0], 8)
  const end = [pngChunk('IDAT', Buffer.alloc(9)), pngChunk('IEND', Buffer.alloc(0))]
  return Buffer.concat([pngSignature, pngChunk('IHDR', header), ...end])
}

onSqliteFirst('pictures that providers report', (newUrl) => {
  let stage: Stage
  let peer: HostileProvider
  let site: Server
  let origin: string
  let answer: (path: string, response: ServerResponse) => void
  const asked: string[] = []
  const trusted = getCACertificates('default')

  before(async () => {
    const pair = selfSigned('localhost')
    setDefaultCACertificates([...trusted, pair.cert])
    site = createServer(pair, ({ url }, response) => {
      asked.push(url!)
      answer(url!, response)
    }).listen(0, '127.0.0.1')
    await once(site, 'listening')
    origin = `https://localhost:${(site.address() as AddressInfo).port}`
    stage = await startRelying({ database_url: newUrl() })
    peer = await startHostileProvider()
    const { hero } = stage
    await hero.settings.set({ key: 'client_metadata_documents', value: 'anywhere' })
    const fields = { preset: 'oidc', issuer: peer.issuer, client: 'hero', client_secret: 's' } as const
    const added = await hero.providers.add({ provider: 'peer', allow_signup: true, ...fields })
    assert.equal(added.pictures, false, 'off by default')
  })
  after(async () => {
    setDefaultCACertificates(trusted)
    site.close()
    site.closeAllConnections()
    await peer.close()
    await stage.daemon.close()
  })

  const serve = (body: Buffer | string, headers: Record<string, string> = {}, status = 200) => {
    answer = (_, response) => response.writeHead(status, headers).end(body)
  }
  /** Signs a person in who has this picture at the provider. */
  const signIn = async (name: string, picture: unknown) => {
    peer.state.person = {
      sub: name,
      email: `${name}@example.com`,
      email_verified: true,
      preferred_username: name,
      picture,
    }
    const person = new Person()
    await person.open(`${stage.origin}/login?provider=peer&next=/auth/me`)
    assert.equal(await whoIs(person, stage.origin), name)
  }
  const stored = (name: string) =>
    byHand(stage.daemon, ({ query }) =>
      query
        .selectFrom('pictures')
        .innerJoin('users', 'users.id', 'pictures.user_id')
        .select(['pictures.type', 'content', 'source'])
        .where('username', '=', name)
        .executeTakeFirst(),
    )
  /** Waits until the picture of a person is this one. */
  const becomes = async (name: string, picture: Buffer) => {
    const content = picture.toString('base64')
    for (let i = 0; i < 200 && (await stored(name))?.content !== content; i++) await setTimeout(10)
    assert.equal((await stored(name))?.content, content)
  }
  /** Pictures are taken one at a time, so whatever was reported before has been decided when this one is there. */
  const settled = async () => {
    const name = `last-${asked.length}`
    await stage.hero.settings.set({ key: 'client_metadata_documents', value: 'anywhere' })
    serve(greyPixel(1))
    await signIn(name, `${origin}/${name}`)
    await becomes(name, greyPixel(1))
  }
  const turn = (pictures: boolean) => stage.hero.providers.update({ provider: 'peer', pictures })
  const set = (user: string, picture: Buffer | null) =>
    stage.hero.users.set_picture({ user, picture: picture && picture.toString('base64') })

  test('are fetched after a sign-in if the provider is set so, and cleaned', async () => {
    serve(greyPixel(7))
    await signIn('bob', `${origin}/bob`)
    assert.equal((await turn(true)).pictures, true)
    serve(Buffer.concat([greyPixel(7), Buffer.from('<script>alert(1)</script>')]), {
      'content-type': 'text/html',
    })
    await signIn('bob', `${origin}/bob`)
    await becomes('bob', greyPixel(7))
    assert.deepEqual(asked, ['/bob'], 'nothing was fetched while it was off')
    const { items } = await stage.hero.audit.list({ method: 'users.picture_by_provider' })
    assert.deepEqual([items[0]!.target, items[0]!.outcome], ['user=bob provider=peer', 'ok'])
  })

  test('are known for a day, replaced by another address, and never replace or bring back what was done here', async () => {
    asked.length = 0
    serve(greyPixel(8))
    await signIn('bob', `${origin}/bob`)
    await signIn('bob', `${origin}/bob-2`)
    await becomes('bob', greyPixel(8))
    assert.deepEqual(asked, ['/bob-2'])
    await byHand(stage.daemon, ({ query }) => query.updateTable('pictures').set({ changed_at: 9 }).execute())
    serve(greyPixel(9))
    await signIn('bob', `${origin}/bob-2`)
    await becomes('bob', greyPixel(9))
    await set('bob', greyPixel(200))
    await signIn('bob', `${origin}/bob-3`)
    await settled()
    await becomes('bob', greyPixel(200))
    await set('bob', null)
    await signIn('bob', `${origin}/bob-4`)
    await settled()
    assert.deepEqual(await stored('bob'), { type: '', content: '', source: '' })
    assert.ok(!asked.includes('/bob-3') && !asked.includes('/bob-4'))
  })

  test('give way to a picture that the person uploads, and to the switch, while they are on the way', async () => {
    const held: ServerResponse[] = []
    answer = (_, response) => held.push(response)
    await signIn('eve', `${origin}/eve`)
    await signIn('mia', `${origin}/mia`)
    await signIn('zoe', `${origin}/zoe`)
    while (held.length < 1) await setTimeout(10)
    // The sign-ins went on although no picture came, and there was one request at a time.
    assert.equal(asked.at(-1), '/eve')
    await set('eve', greyPixel(201))
    held[0]!.end(greyPixel(8))
    while (held.length < 2) await setTimeout(10)
    await turn(false)
    held[1]!.end(greyPixel(8))
    while (held.length < 3) await setTimeout(10)
    await turn(true)
    held[2]!.end(greyPixel(8))
    await becomes('zoe', greyPixel(8))
    await becomes('eve', greyPixel(201))
    assert.equal(await stored('mia'), undefined)
  })

  test('are fetched from public addresses by https only, and no attack stores anything', async () => {
    const { hero } = stage
    const markup = '<html><script>alert(1)</script></html>'
    const vector = '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'
    const bad: readonly (readonly [string, Buffer | string, Record<string, string>?, number?])[] = [
      ['html', markup, { 'content-type': 'image/png' }],
      ['svg', vector, { 'content-type': 'image/png' }],
      ['polyglot', Buffer.concat([Buffer.from(markup), greyPixel(3)])],
      ['wide', wide(60_000)],
      ['long', Buffer.concat([greyPixel(3), Buffer.alloc(600_000)])],
      ['cut', greyPixel(3).subarray(0, 30)],
      ['moved', '', { location: `${origin}/inside` }, 302],
      ['missing', greyPixel(3), {}, 404],
      ['empty', ''],
    ]
    for (const [name, body, headers, status] of bad) {
      serve(body, headers, status)
      await signIn(name, `${origin}/${name}`)
      while (asked.at(-1) !== `/${name}`) await setTimeout(5)
    }
    const { port } = new URL(origin)
    serve(greyPixel(3))
    await signIn('named', `https://user:password@localhost:${port}/named`)
    await settled()
    assert.ok(!asked.includes('/named'), 'no address has user information')
    assert.ok(!asked.includes('/inside'), 'redirects are not followed')
    asked.length = 0
    serve(greyPixel(3))
    await hero.settings.set({ key: 'client_metadata_documents', value: 'public' })
    const inside = [
      `${origin}/private`,
      `https://127.0.0.1:${port}/private`,
      `https://[::ffff:127.0.0.1]:${port}/private`,
      'http://169.254.169.254/latest/meta-data/',
      'https://169.254.169.254/latest/meta-data/',
      origin.replace('https', 'http'),
      'data:image/png;base64,AAAA',
      'not an address',
      { toString: 1 },
    ]
    for (const [i, picture] of inside.entries()) await signIn(`inside-${i}`, picture)
    await setTimeout(50)
    await settled()
    assert.deepEqual(
      asked.filter((path) => path === '/private'),
      [],
    )
    for (const name of [...bad.map(([one]) => one), ...inside.map((_, i) => `inside-${i}`), 'named'])
      assert.equal(await stored(name), undefined, name)
  })
})
