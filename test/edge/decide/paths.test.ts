import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import * as fc from 'fast-check'
import { askRaw } from '../../support/http.ts'
import { paths as table } from '../hostile_paths.ts'
import { startStage, type Stage } from '../../support/edge_stage.ts'

const decode = (text: string) =>
  text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))
const resolveDots = (text: string) => {
  const kept: string[] = []
  for (const part of text.split('/').slice(1)) {
    if (part === '../..') kept.pop()
    else if (part !== '.') kept.push(part)
  }
  return `/${kept.join('/')}`
}

const folded = (text: string) =>
  text
    .replace(/[\u0080-\u00ff]+/g, (bytes) => Buffer.from(bytes, 'latin1').toString('utf8'))
    .normalize('NFKC')

/** Every path that lenient servers may derive from a target: their steps in any order, decoding up to twice. */
const readings = (target: string): Set<string> => {
  const steps = [
    (text: string) => text.replaceAll('\\', '/'),
    (text: string) => text.replace(/\/+/g, '/'),
    (text: string) => text.replace(/;[^/]*/g, ''),
    (text: string) => text.replace(/[?#\0].*/s, ''),
    (text: string) => text.replace(/[\t\r\n]/g, ''),
    (text: string) => folded(text),
    resolveDots,
  ]
  const seen = new Map<string, number>([[target.split('?')[0]!, 0]])
  for (const [text, decoded] of seen) {
    const add = (next: string, times: number) => {
      if (!seen.has(next) && seen.size < 3000) seen.set(next, times)
    }
    for (const step of steps) add(step(text), decoded)
    if (decoded < 2) add(decode(text), decoded + 1)
  }
  return new Set([...seen.keys()].map((text) => folded(text).toLowerCase()))
}
const aimsAtDesk = (target: string) => [...readings(target)].some((path) => /^\/desk(\/|$)/.test(path))

describe('the path that is decided is the path that is forwarded (D11, D12)', () => {
  let stage: Stage
  before(async () => {
    stage = await startStage()
    await stage.route({ domain: 'paths.localhost', auth_mode: 'optional' })
    await stage.route({
      domain: 'paths.localhost',
      path_prefix: '/desk',
      auth_mode: 'local',
      required_claims: ['app.use'],
    })
    await stage.route({ domain: 'single.localhost', auth_mode: 'optional' })
  })
  after(() => stage.close())

  /** Sends a target unchanged, and returns the status and the targets that the upstream saw. */
  const send = async (host: string, target: string, headers = '') => {
    const before = stage.upstream.seen.length
    const answer = await askRaw(
      stage.daemon,
      `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n${headers}\r\n`,
      3000,
    )
    return {
      status: Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1]),
      seen: stage.upstream.seen.slice(before).map(({ url }) => url),
    }
  }

  const check = async (target: string) => {
    const { status, seen } = await send('paths.localhost', target)
    if (seen.length === 0) {
      assert.ok([400, 401, 431].includes(status), `${target.slice(0, 60)}: ${status}`)
      return
    }
    assert.deepEqual(seen, [target], 'forwarded as received')
    assert.equal(status, 200)
    assert.ok(!aimsAtDesk(target), `${target} reached the upstream without the rule of /desk`)
  }

  test(`a guest passes with none of ${table.length} paths that can be read as /desk`, async () => {
    assert.ok(table.length >= 60)
    for (const target of table) await check(target)
  })

  test('a step of reading may uncover the next one', async () => {
    for (const target of [
      // What ends `;parameters`, a backslash or only a slash.
      '/%3b%5cpublic/desk',
      '/;%5cpublic/desk',
      '/;a%255cb/desk',
      // A control character inside an escape.
      '/%25%0964esk',
      // A full-width percent sign, and a full-width semicolon.
      '/%ef%bc%8564esk',
      '/%ef%bc%9bx/desk',
      // Beside a character above U+00FF: escapes of a full-width slash.
      '/;%e4%bd%a0%ef%bc%85ef%ef%bc%85bc%ef%bc%858fdesk',
    ]) {
      assert.ok(aimsAtDesk(target), target)
      assert.deepEqual((await send('paths.localhost', target)).seen, [], target)
    }
  })

  test('a path with too many readings is refused, also by upgrades and the route test', async () => {
    const odd = '%ef%bc%8564%09;a%5cb/%c0%af'.repeat(500)
    for (const start of ['/', '/x/', '/%64', '/auth/%66'])
      assert.deepEqual(await send('paths.localhost', start + odd), { status: 400, seen: [] }, start)
    assert.deepEqual(await send('single.localhost', `/%2ehero_proxy${odd}`), { status: 400, seen: [] })
    const switching = `Host: paths.localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n`
    for (const start of ['/', '/%64'])
      assert.match(
        await askRaw(stage.daemon, `GET ${start}${odd} HTTP/1.1\r\n${switching}\r\n`, 3000),
        /^HTTP\/1\.1 400 /,
        start,
      )
    const tried = await stage.daemon.hero.proxy.routes.test({ url: `http://paths.localhost/%64${odd}` })
    assert.equal(tried.check, 'path')
    const names = '%C3%A9t%C3%A9/'.repeat(1000)
    assert.deepEqual(await send('paths.localhost', `/${names}`), { status: 200, seen: [`/${names}`] })
  })

  test('a user without the claim passes with none of them', async () => {
    for (const target of table) {
      const { status, seen } = await send('paths.localhost', target, `Cookie: ${stage.bob}\r\n`)
      if (seen.length > 0) assert.ok(!aimsAtDesk(target), target)
      else assert.ok([400, 403, 431].includes(status), `${target.slice(0, 60)}: ${status}`)
    }
  })

  test('no generated path of such pieces passes', async () => {
    const pieces = [
      '/',
      '//',
      '.',
      '../..',
      '%2e',
      '%2F',
      '%5c',
      '%25',
      ';',
      '%3b',
      ';x=y',
      'desk',
      'DESK',
      'd',
      'esk',
      '%64',
      '%2',
      '5',
      '64',
      '%00',
      '%09',
      'public',
      'x',
      '%c0%af',
      '%e2%84%aa',
      '%ef%bc%85',
      '%ef%bc%9b',
      'des',
      '?',
      '%3f',
      '&',
    ]
    const paths = fc.array(fc.constantFrom(...pieces), { maxLength: 9 }).map((parts) => `/${parts.join('')}`)
    await fc.assert(fc.asyncProperty(paths, check), { numRuns: Number(process.env.RUNS ?? 400) })
  })

  test('the plain path passes with the claim, and harmless paths pass for guests', async () => {
    const held = await send('paths.localhost', '/desk/x?y', `Cookie: ${stage.ada}\r\n`)
    assert.deepEqual(held, { status: 200, seen: ['/desk/x?y'] })
    for (const target of [
      '/',
      '/public',
      '/desks',
      '/a/desk',
      '/%20',
      '/caf%C3%A9',
      '/a;b=c',
      '/x%2fy',
      '/a//b',
      '/?x=%2e%2e',
      "/!$&'()*+,=:@~",
      '/a?b#'.slice(0, 4),
      '/x%25y',
    ]) {
      assert.deepEqual(await send('paths.localhost', target), { status: 200, seen: [target] }, target)
    }
  })

  test('paths of a host with a single rule are forwarded byte for byte, except dot segments', async () => {
    for (const target of ['//x', '/X%2Fy', '/a;b/c', '/%ff', '/a%5cb', '/%25']) {
      assert.deepEqual(await send('single.localhost', target), { status: 200, seen: [target] }, target)
    }
    for (const target of ['/a/../b', '/%2e%2e/b', '/a%00', '/a%'])
      assert.equal((await send('single.localhost', target)).status, 400, target)
  })
})
