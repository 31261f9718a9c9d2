import assert from 'node:assert/strict'
import { createHash, createPrivateKey, randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { publicKeyOf, signRequest } from '../../sdk/index.ts'
import { newKey } from '../edge/mode_stage.ts'

describe('signRequest', () => {
  test('another library verifies its signatures, and their s is always low', () => {
    for (let i = 0; i < 64; i++) {
      const key = randomBytes(32)
      const headers = signRequest({
        method: 'get',
        url: 'http://Signed.LOCALHOST.:9997/a?b=%20#part',
        privateKey: key.toString('hex'),
        now: 1795435200,
        nonce: 'n'.repeat(16),
      })
      const empty = createHash('sha256').update('').digest('hex')
      const text = `hero-sig-v1\nGET\nsigned.localhost:9997\n/a?b=%20\n${empty}\n1795435200\n${'n'.repeat(16)}`
      const signature = Buffer.from(headers['X-Signature'], 'hex')
      const point = Buffer.from(headers['X-Signature-Pubkey'], 'hex')
      // This library refuses a high s.
      assert.ok(secp256k1.verify(signature, Buffer.from(text), point))
      assert.deepEqual(point, Buffer.from(secp256k1.getPublicKey(key)))
    }
  })

  test('a key may be PEM, hex or an object, and one on another curve is refused', () => {
    const { privateKey, pubkey: mine } = newKey()
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
    const sec1 = privateKey.export({ type: 'sec1', format: 'pem' }) as string
    const hex = Buffer.from(privateKey.export({ format: 'jwk' }).d!, 'base64url').toString('hex')
    for (const key of [privateKey, pem, sec1, hex, createPrivateKey(pem)])
      assert.equal(publicKeyOf(key), mine)
    const other = createPrivateKey(
      '-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n-----END PRIVATE KEY-----\n',
    )
    assert.throws(() => signRequest({ method: 'GET', url: 'http://a/', privateKey: other }), TypeError)
  })
})
