import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { goodPassword } from '../support/daemon.ts'
import { root } from '../support/daemon_process.ts'
import { onSqliteFirst } from '../support/databases.ts'
import { byHand } from '../support/people.ts'
import { postForm, startStage, type Stage } from '../support/edge_stage.ts'
import { signIn, type Answer } from '../support/http.ts'
import { Walker } from './steps.ts'
import { unlessLong } from '../long.ts'

const home = 'http://localhost:9997'
const session = '__Host-hero_proxy_session'
const field = (body: string, name: string) =>
  new RegExp(`name="${name}" value="([^"]+)"`).exec(body)?.[1]?.replaceAll('&amp;', '&') ?? ''

const signedIn = async (stage: Stage, name = 'ada'): Promise<Walker> => {
  const walker = new Walker(stage.daemon)
  walker.keep('localhost', await signIn(stage.daemon, 'localhost', name, goodPassword))
  return walker
}

/** Posts the form of a page of home, in the browser that was shown it. */
const post = (stage: Stage, walker: Walker, path: string, page: Answer, fields: Record<string, string>) =>
  postForm(stage.daemon, 'localhost', path, { form_token: field(page.body, 'form_token'), ...fields }, [
    'Cookie',
    walker.cookies('localhost'),
  ])

/** Bob proves who he is in a browser where ada is signed in: the page asks which of them it shall be. */
const askToReplace = async (stage: Stage, walker: Walker): Promise<Answer> => {
  const page = await walker.step(`${home}/auth/prove`)
  const asked = await post(stage, walker, '/auth/login', page, { login: 'bob', password: goodPassword })
  assert.equal(asked.status, 200)
  assert.match(asked.body, /action="\/auth\/replace"/)
  return asked
}

const isIn = async (stage: Stage, cookie: string): Promise<boolean> => {
  const walker = new Walker(stage.daemon)
  walker.keep('localhost', cookie)
  return (await walker.step(`${home}/auth/security`)).status === 200
}

onSqliteFirst('fifty replacements at once', (newUrl) => {
  let stage: Stage
  before(async () => {
    stage = await startStage({ database_url: newUrl() })
  })
  after(() => stage.close())
  const signIns = async (user: string) => (await stage.daemon.hero.sessions.list({ user })).items.length

  /** What ends meanwhile, and whether the person who takes the place stays signed in. */
  const ends: Record<string, readonly [end: (ada: Walker) => Promise<unknown>, stays: boolean]> = {
    'the person who was there signs out': [
      async (ada) => {
        const page = await ada.step(`${home}/auth/logout`)
        return post(stage, ada, '/auth/logout', page, { scope: 'everywhere' })
      },
      true,
    ],
    'the person who takes the place is signed out everywhere': [
      () => stage.daemon.hero.sessions.revoke_all({ user: 'bob' }),
      false,
    ],
  }
  for (const [cause, [end, stays]] of Object.entries(ends))
    test(`leave one sign-in at most when ${cause} between them`, async () => {
      const ada = await signedIn(stage)
      const before = ada.cookies('localhost')
      const asked = await askToReplace(stage, ada)
      const opening = field(asked.body, 'opening')
      const replace = () => post(stage, ada, '/auth/replace', asked, { opening, answer: 'replace' })
      const some = (count: number) => Array.from({ length: count }, replace)
      const answers = await Promise.all([...some(10), end(ada).then(() => undefined), ...some(40)])
      const cookies = new Set<string>()
      for (const answer of answers) {
        if (answer === undefined) continue
        // 503: so many at once had to wait too long for the database.
        assert.ok([303, 503].includes(answer.status), String(answer.status))
        for (const line of answer.headers['set-cookie'] ?? [])
          if (line.startsWith(session) && !/max-age=0/i.test(line)) cookies.add(line.split(';')[0]!)
      }
      // Where nobody took the place in time, the person who was there keeps it.
      assert.equal(await isIn(stage, before), !stays && cookies.size === 0, 'ada')
      assert.ok(cookies.size <= 1, `${cookies.size} sign-ins`)
      for (const cookie of cookies) assert.equal(await isIn(stage, cookie), stays, 'bob')
      // The stage itself signed bob in once, which revoke_all ends too.
      assert.equal(await signIns('bob'), stays ? 2 : 0)
      // What is decided is decided: the form opens nothing any more.
      if (!stays) assert.equal((await replace()).headers.location, '/auth/login')
    })
})

describe('the form that replaces a sign-in', () => {
  let stage: Stage
  before(async () => {
    stage = await startStage()
  })
  after(() => stage.close())

  test('works once, so that nobody prolongs a sign-in by it', async () => {
    const ada = await signedIn(stage)
    const asked = await askToReplace(stage, ada)
    const opening = field(asked.body, 'opening')
    const replace = (answer = 'replace') => post(stage, ada, '/auth/replace', asked, { opening, answer })
    const first = await replace()
    const cookie = first.headers['set-cookie']!.find((line) => line.startsWith(session))!.split(';')[0]!
    const ends = async () =>
      (await stage.daemon.hero.sessions.list({ user: 'bob' })).items.map(({ expires_at }) => expires_at)
    const before = await ends()
    assert.equal((await replace()).headers.location, '/auth/login')
    await replace('stay')
    assert.deepEqual(await ends(), before)
    assert.equal(await isIn(stage, cookie), true, 'bob')
  })
})

describe('a sign-in that lasts no longer than a decision', () => {
  test('is taken for none, also when the same person signs in again', async () => {
    await using stage = await startStage()
    await stage.daemon.hero.settings.set({ key: 'session_lifetime', value: 300 })
    const ada = await signedIn(stage)
    await byHand(stage.daemon, ({ query }) =>
      query
        .updateTable('sessions')
        .set((eb) => ({ created_at: eb('created_at', '-', 10) }))
        .execute(),
    )
    const page = await ada.step(`${home}/auth/prove`)
    const again = await post(stage, ada, '/auth/login', page, { login: 'ada', password: goodPassword })
    const cookie = again.headers['set-cookie']!.find((line) => line.startsWith(session))!.split(';')[0]!
    assert.equal(await isIn(stage, cookie), true)
  })
})

describe('the corpus of redirects in posted forms', { skip: unlessLong }, () => {
  let stage: Stage
  before(async () => {
    stage = await startStage()
  })
  after(() => stage.close())
  const lines = readFileSync(join(root, 'test', 'corpora', 'redirects', 'redirects.txt'), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
  const leadsAway = ({ headers, body }: Answer): string | undefined => {
    const to = headers.location ?? /http-equiv="refresh" content="0; url=([^"]+)"/.exec(body)?.[1]
    if (to === undefined) return undefined
    const { origin } = URL.canParse(to, home) ? new URL(to, home) : { origin: 'broken' }
    return origin === home ? undefined : to
  }

  test('stays at home when somebody else takes a place, stays, or comes back to a service', async () => {
    const ada = await signedIn(stage)
    const own = ada.cookies('localhost')
    const asked = await askToReplace(stage, ada)
    const opening = field(asked.body, 'opening')
    for (const line of lines) {
      const stay = await post(stage, ada, '/auth/replace', asked, { return_to: line, opening: 'x' })
      assert.equal(leadsAway(stay), undefined, line)
      for (const return_to of [line, `/auth/login?service=${encodeURIComponent(line)}`]) {
        const back = await post(stage, ada, '/auth/come_back', asked, { return_to })
        assert.equal(leadsAway(back), undefined, line)
      }
    }
    assert.equal(await isIn(stage, own), true)
    // A form is used once: for each line, the sign-in is again as it was opened.
    const asOpened = () =>
      byHand(stage.daemon, ({ query }) =>
        query
          .updateTable('sessions')
          .set((eb) => ({ expires_at: eb('created_at', '+', 300) }))
          .where('expires_at', '>', (eb) => eb('created_at', '+', 300))
          .execute(),
      )
    for (const line of lines) {
      await asOpened()
      const fields = { opening, answer: 'replace', return_to: line }
      const replaced = await post(stage, ada, '/auth/replace', asked, fields)
      assert.match(replaced.headers['set-cookie']!.join(), new RegExp(session))
      assert.equal(leadsAway(replaced), undefined, line)
    }
    assert.equal(await isIn(stage, own), false)
  })
})
