import assert from 'node:assert/strict'
import { createHmac, generateKeyPairSync, sign } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { createLog } from '../../src/log/log.ts'
import type { Database } from '../../src/storage/database.ts'
import { AccessTokens } from '../../src/token/access_tokens.ts'
import { openDatabase } from '../../src/storage/open_database.ts'

const issuer = 'https://id.example.org'
const { publicKey, privateKey } = generateKeyPairSync('ed25519')
const other = generateKeyPairSync('ed25519')
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const encode = (part: unknown) =>
  Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url')

suite('validating access tokens (RFC 9068 section 4, RFC 8725)', () => {
  let database: Database
  let access: AccessTokens
  let dir: string
  before(async () => {
    dir = mkdtempSync(join(tmpdir(), 'hp-'))
    database = await openDatabase(`sqlite:${join(dir, 'x.db')}`, createLog('silent'))
    access = new AccessTokens({
      database,
      issuer,
      signing: () => ({ kid: 'k', key: privateKey }),
      verifying: (kid) => (kid === 'k' ? publicKey : undefined),
    })
  })
  after(async () => {
    await database.close()
    rmSync(dir, { recursive: true })
  })
  const at = Math.floor(Date.now() / 1000)
  const header = { alg: 'EdDSA', typ: 'at+jwt', kid: 'k' }
  const payload = {
    iss: issuer,
    aud: issuer,
    sub: 'deploy',
    client_id: 'deploy',
    scope: 'read',
    jti: 'j',
    iat: at,
    exp: at + 60,
  }
  const write = (head: unknown, body: unknown, key = privateKey) => {
    const text = `${encode(head)}.${encode(body)}`
    return `${text}.${sign(null, Buffer.from(text), key).toString('base64url')}`
  }

  test('a valid token is accepted', async () => {
    const { access_token } = await access.issue({ sub: 's', client_id: 's', scope: 'read', claims: [] })
    assert.equal((await access.find(access_token))?.sub, 's')
    assert.equal((await access.find(write(header, payload)))?.jti, 'j')
    // Unknown header members, and keys in the header, are ignored.
    for (const more of [
      { jwk: other.publicKey.export({ format: 'jwk' }) },
      { jku: 'https://evil.test' },
      { x5u: 'x' },
    ])
      assert.equal((await access.find(write({ ...header, ...more }, payload)))?.jti, 'j')
    assert.equal(
      await access.find(
        write({ ...header, jwk: other.publicKey.export({ format: 'jwk' }) }, payload, other.privateKey),
      ),
      undefined,
    )
  })

  test('any other header or payload is refused', async () => {
    const heads = [
      { ...header, alg: 'none' },
      { ...header, alg: 'RS256' },
      { ...header, alg: 'HS256' },
      { ...header, alg: 'eddsa' },
      { ...header, alg: undefined },
      { ...header, typ: 'JWT' },
      { ...header, typ: 'hero-assertion+jwt' },
      { ...header, typ: 'AT+JWT' },
      { ...header, typ: undefined },
      { ...header, kid: 'l' },
      { ...header, kid: undefined },
      { ...header, kid: ['k'] },
      { ...header, crit: ['exp'] },
      [header],
      'null',
      '{',
    ]
    for (const head of heads)
      assert.equal(await access.find(write(head, payload)), undefined, JSON.stringify(head))
    const bodies = [
      { iss: 'https://other.example.org' },
      { iss: `${issuer}/` },
      { iss: undefined },
      { aud: undefined },
      { aud: [issuer] },
      { aud: '' },
      { sub: undefined },
      { sub: 7 },
      { client_id: undefined },
      { jti: undefined },
      { scope: ['read'] },
      { exp: undefined },
      { exp: at - 1 },
      { exp: String(at + 60) },
      { exp: at + 0.5 },
      { iat: undefined },
      { iat: at + 120 },
      { nbf: at - 10 },
    ]
    for (const change of bodies)
      assert.equal(
        await access.find(write(header, { ...payload, ...change })),
        undefined,
        JSON.stringify(change),
      )
    for (const body of ['null', '[]', '"x"', '{', '{"iss":"a"} ', '\u00ff'])
      assert.equal(await access.find(write(header, body)), undefined, body)
  })

  test('a token with another key, another algorithm or a changed text is refused', async () => {
    const right = write(header, payload)
    const [head = '', body = '', signature = ''] = right.split('.')
    const text = `${head}.${body}`
    const hmac = createHmac('sha256', publicKey.export({ type: 'spki', format: 'pem' })).update(text)
    const wrong = {
      'another key': write(header, payload, other.privateKey),
      'HMAC with the public key': `${encode({ ...header, alg: 'HS256' })}.${body}.${hmac.digest('base64url')}`,
      'RSA under our kid': `${text}.${sign('sha256', Buffer.from(text), rsa.privateKey).toString('base64url')}`,
      'no signature': `${text}.`,
      'two parts': text,
      'four parts': `${right}.x`,
      'five parts': `${right}.x.y`,
      'another payload': `${head}.${encode({ ...payload, sub: 'root' })}.${signature}`,
      'base64 padding': `${right}==`,
      'a space': `${right} `,
      'a line break': `${head}.\n${body}.${signature}`,
      'another encoding of the last byte': `${right.slice(0, -1)}${right.endsWith('A') ? 'B' : String.fromCharCode(right.charCodeAt(right.length - 1) + 1)}`,
      'too long': `${head}.${encode({ ...payload, more: 'x'.repeat(20_000) })}.${signature}`,
    }
    for (const [name, token] of Object.entries(wrong)) assert.equal(await access.find(token), undefined, name)
  })
})
