import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { ECDH, randomBytes } from 'node:crypto'
import { onSqliteFirst } from '../support/databases.ts'
import { ask, type Answer } from '../support/http.ts'
import { valuesOf } from '../support/upstream.ts'
import { draft, headersOf, highS, host, pubkey, seconds, signDraft, type Draft } from '../support/signing.ts'
import { got, startStage, type Stage } from '../support/edge_stage.ts'

onSqliteFirst('signed requests', (newUrl) => {
  let stage: Stage
  before(async () => {
    stage = await startStage({ database_url: newUrl() })
    await stage.route({ domain: host, auth_mode: 'signature' })
    await stage.daemon.hero.users.keys.add({ user: 'ada', pubkey })
  })
  after(() => stage.close())

  const send = (sent: Draft, headers: readonly [string, string][]): Promise<Answer> =>
    ask(stage.daemon, sent.host, sent.path, {
      method: sent.method,
      headers: headers.flat(),
      ...(sent.method === 'GET' ? {} : { body: sent.body }),
    })

  const refuses = async (sent: Draft, headers: readonly [string, string][], status: number, what: string) => {
    const before = stage.upstream.seen.length
    const answer = await send(sent, headers)
    assert.equal(answer.status, status, `${what}: ${answer.body}`)
    assert.equal(stage.upstream.seen.length, before, what)
    if (status === 401) assert.match(String(answer.headers['www-authenticate']), /^HeroSignature /)
  }

  test('a request signed by another library is forwarded with its user, its key and exactly its bytes', async () => {
    const text = draft()
    const { method, url, rawHeaders } = got(await send(text, headersOf(text, signDraft(text))))
    assert.deepEqual([method, url], ['POST', text.path])
    assert.deepEqual(valuesOf(rawHeaders, 'x-hero-user'), ['ada'])
    assert.deepEqual(valuesOf(rawHeaders, 'x-proxy-auth-method'), ['signature'])
    assert.deepEqual(valuesOf(rawHeaders, 'x-proxy-user-pubkey'), [pubkey])
    assert.deepEqual(valuesOf(rawHeaders, 'content-length'), [String(text.body.length)])
    assert.deepEqual(
      rawHeaders.filter((name) => /^x-signature/i.test(name)),
      [],
    )
  })

  test('every encoding of a key counts as the same key', async () => {
    const full = ECDH.convertKey(pubkey, 'secp256k1', 'hex', 'hex', 'uncompressed') as string
    const text = draft()
    const signature = signDraft(text)
    const { rawHeaders } = got(await send(text, headersOf(text, signature.toUpperCase(), full)))
    assert.deepEqual(valuesOf(rawHeaders, 'x-proxy-user-pubkey'), [pubkey])
    await refuses(
      text,
      headersOf(text, signature, pubkey.toUpperCase()),
      401,
      'the same nonce with another encoding of the key',
    )
  })

  test('a request that differs from what was signed is refused', async () => {
    const changes: Partial<Draft>[] = [
      { method: 'PUT' },
      { method: 'post' },
      { host: 'other.localhost' },
      { host: `${host}:80` },
      { path: '/notes?tag=a b&x=1' },
      { path: '/notes?tag=a%20b&x=2' },
      { path: '/notes' },
      { path: '/Notes?tag=a%20b&x=1' },
      { body: '{"note":"hullo"}' },
      { body: '' },
      { timestamp: String(seconds() - 1) },
      { nonce: 'b'.repeat(20) },
      { version: 'hero-sig-v2' },
    ]
    for (const change of changes) {
      const sent = draft()
      await refuses(sent, headersOf(sent, signDraft({ ...sent, ...change })), 401, JSON.stringify(change))
    }
    const sent = draft()
    await refuses(sent, headersOf(sent, signDraft(sent, randomBytes(32))), 401, 'another key signed')
    await refuses(sent, headersOf(sent, highS(signDraft(sent))), 401, 'the higher s')
    assert.equal(
      (await send(sent, headersOf(sent, signDraft(sent)))).status,
      200,
      'a refusal does not use up the nonce',
    )
  })

  test('a request changed after it was signed is refused', async () => {
    const second = 'second.localhost'
    await stage.route({ domain: second, auth_mode: 'signature' })
    const changes: Partial<Draft>[] = [
      { method: 'PUT' },
      { host: second },
      { host: `${host}:9997` },
      { path: '/notes?tag=a%20b&x=1&y' },
      { path: '/notes?tag=a%20b&x=%31' },
      { body: '{"note":"hullo"}' },
      { body: '' },
      { timestamp: String(seconds() + 1) },
      { nonce: 'b'.repeat(20) },
    ]
    const signed = draft()
    const signature = signDraft(signed)
    for (const change of changes) {
      const sent = { ...signed, ...change }
      await refuses(sent, headersOf(sent, signature), 401, JSON.stringify(change))
    }
    const ported = { ...draft(), host: `${host.toUpperCase()}.:9997` }
    const headers = headersOf(ported, signDraft({ ...ported, host: `${host}:9997` }))
    assert.equal((await send(ported, headers)).status, 200, 'the port sent is signed')
    assert.equal((await send(signed, headersOf(signed, signature))).status, 200)
  })

  test('each signature header occurs once, in exactly its format', async () => {
    const zero = '0'.repeat(64)
    const values: Record<string, string[]> = {
      'X-Signature-Pubkey': [
        '',
        'x',
        pubkey.slice(2),
        `${pubkey}00`,
        `05${pubkey.slice(2)}`,
        `02${'f'.repeat(64)}`,
        `04${'1'.repeat(128)}`,
        `${pubkey}, ${pubkey}`,
      ],
      'X-Signature': [
        '',
        'x',
        zero,
        zero + zero,
        `${'1'.repeat(64)}${zero}`,
        'f'.repeat(128),
        '1'.repeat(130),
      ],
      'X-Signature-Timestamp': [
        '',
        '0',
        '-1',
        '1e9',
        `0${seconds()}`,
        `${seconds()}.5`,
        '9'.repeat(13),
        'now',
      ],
      'X-Signature-Nonce': ['', 'a'.repeat(15), 'a'.repeat(65), `${'a'.repeat(16)}+`, `${'a'.repeat(16)}=`],
    }
    for (const [name, list] of Object.entries(values)) {
      const sent = draft()
      const right = headersOf(sent, signDraft(sent))
      await refuses(
        sent,
        right.filter(([one]) => one !== name),
        401,
        `without ${name}`,
      )
      await refuses(sent, [...right, right.find(([one]) => one === name)!], 401, `${name} twice`)
      for (const value of list) {
        const headers = right.map(([one, old]): [string, string] => [one, one === name ? value : old])
        await refuses(sent, headers, 401, `${name}: ${value}`)
      }
      // Signed as it is sent, so that only its format is wrong.
      if (name !== 'X-Signature-Nonce') continue
      for (const nonce of list.slice(1)) {
        const text = { ...sent, nonce }
        await refuses(text, headersOf(text, signDraft(text)), 401, `nonce ${nonce}`)
      }
    }
  })

  test('the timestamp may differ by at most a minute', async () => {
    for (const [away, status] of [
      [-58, 200],
      [58, 200],
      [-62, 401],
      [62, 401],
      [-3600, 401],
      [86_400, 401],
    ] as const) {
      const text = { ...draft(), timestamp: String(seconds() + away) }
      assert.equal((await send(text, headersOf(text, signDraft(text)))).status, status, `${away} s`)
    }
  })
})
